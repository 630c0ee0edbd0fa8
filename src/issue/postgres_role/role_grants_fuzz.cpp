// SPDX-License-Identifier: Apache-2.0
//
// What is declared of a resource is text of others, and becomes SQL.
#include "issue/postgres_role/grant_sql.h"

#include <cstddef>
#include <cstdint>

namespace {

using namespace writ;

// The end of a quoted name or text that begins at `position`; a doubled quote is a part of it.
std::size_t end_of_quoted(std::string_view sql, std::size_t position)
{
    auto const quote = sql[position++];
    while (position < sql.size()) {
        if (sql[position++] != quote)
            continue;
        if (position == sql.size() || sql[position] != quote)
            return position;
        ++position;
    }
    ASSERT(false); // it does not end
    return position;
}

// The words of a statement outside of quoted names and texts.
std::set<std::string> words_outside_quotes(std::string_view sql)
{
    std::set<std::string> words;
    std::string word;
    for (std::size_t position = 0; position < sql.size();) {
        auto const c = sql[position];
        if (std::string_view(" ;,.()=<>").find(c) != std::string_view::npos || c == '"' || c == '\'') {
            words.insert(std::exchange(word, ""));
            position = c == '"' || c == '\'' ? end_of_quoted(sql, position) : position + 1;
            continue;
        }
        word += c;
        ++position;
    }
    words.insert(word);
    return words;
}

// SECURITY: nothing that was declared is SQL itself.
void check_statements(std::string const& sql)
{
    static std::set<std::string> const known { "", "*", "ALL", "ALTER", "AND", "AS", "CASCADED", "CHECK", "CONNECT", "CREATE", "DATABASE", "DELETE", "FROM", "GRANT", "IN",
        "INSERT", "ON", "OPTION", "ROLE", "SCHEMA", "SELECT", "SET", "TABLES", "TO", "UPDATE", "USAGE", "VIEW", "WHERE", "WITH", "search_path", "security_barrier" };
    for (auto const& word : words_outside_quotes(sql))
        ASSERT(known.contains(word));
    ASSERT(sql.find('\0') == std::string::npos);
}

void look_at(JsonObject const& resource)
{
    auto const is_sound = issue::check_postgres_resource(resource).is_ok();
    for (auto const* const action : { "read", "train", "evaluate", "write", "administer" }) {
        auto const grants = issue::parse_role_grants(action, resource);
        if (grants.is_error())
            continue;
        ASSERT(is_sound || resource.contains("privileges") || resource.contains("template"));
        ASSERT(!issue::words_of(*grants).empty());
        issue::Recipient const recipient { .workload = "spiffe://a.example/w", .run = "run-a", .purpose = "it's" };
        check_statements(issue::grant_statements(*grants, "writ_a", "db", recipient));
        (void)issue::exposure_query(*grants, "writ_a");
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    auto const resource = parse_json_object(std::string_view(reinterpret_cast<char const*>(data), size));
    if (resource.is_ok())
        look_at(*resource);
    return 0;
}
