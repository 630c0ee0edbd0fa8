// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/role_grants.h"

#include "base/utf8.h"

#include <algorithm>

namespace writ::issue {

namespace {

// SPEC: PostgreSQL 15, 4.1.1: an identifier has at most 63 bytes; what is longer is cut, and may then be another's.
constexpr std::size_t identifier_bytes_max = 63;
// LIMIT: all of it is one statement, and is kept with the lease.
constexpr std::size_t tables_max = 100;
constexpr std::size_t columns_max = 1600; // the server's own
constexpr std::size_t conditions_max = 16;
constexpr std::size_t values_max = 1000;
constexpr std::size_t value_bytes_max = 1000;
constexpr std::size_t words_bytes_max = 500;

constexpr std::string_view dataset_actions[] = { "read", "train", "evaluate", "write" };

Result<> check_value(std::string_view value)
{
    if (value.size() > value_bytes_max || value.find('\0') != std::string_view::npos)
        return invalid_argument("a value of `rows` has at most " + std::to_string(value_bytes_max) + " bytes and no NUL");
    if (value.starts_with('{') && value.ends_with('}') && value != "{run}" && value != "{workload}" && value != "{purpose}")
        return invalid_argument("`" + std::string(value.substr(0, 60)) + "` is none of `{run}`, `{workload}`, `{purpose}`");
    return {};
}

Result<std::vector<std::string>> parse_values(JsonObject const& object)
{
    if (!object.contains("any_of"))
        return std::vector<std::string>();
    auto values = TRY(strings_member(object, "any_of"));
    if (values.empty() || values.size() > values_max)
        return invalid_argument("`any_of` has 1 to " + std::to_string(values_max) + " values");
    for (auto const& value : values)
        TRY(check_value(value));
    return values;
}

Result<std::optional<std::string>> parse_bound(JsonObject const& object, std::string_view name)
{
    if (!object.contains(name))
        return std::optional<std::string>();
    auto const value = TRY(string_member(object, name));
    TRY(check_value(value));
    return std::optional(std::string(value));
}

Result<RowCondition> parse_condition(JsonValue const& value)
{
    if (!value.is_object())
        return invalid_argument("`rows` is a list of conditions");
    auto const& object = value.get_object();
    RowCondition condition;
    condition.column = TRY(string_member(object, "column"));
    TRY(check_identifier("a column", condition.column));
    condition.any_of = TRY(parse_values(object));
    condition.from = TRY(parse_bound(object, "from"));
    condition.before = TRY(parse_bound(object, "before"));
    if (condition.any_of.empty() && !condition.from && !condition.before)
        return invalid_argument("a condition of `rows` says `any_of`, `from` or `before`");
    return condition;
}

Result<std::vector<std::string>> parse_columns(JsonObject const& object)
{
    if (!object.contains("columns"))
        return std::vector<std::string>();
    auto columns = TRY(strings_member(object, "columns"));
    // SECURITY: an empty list is not all of them.
    if (columns.empty() || columns.size() > columns_max)
        return invalid_argument("`columns` names 1 to " + std::to_string(columns_max) + " columns");
    for (auto const& column : columns)
        TRY(check_identifier("a column", column));
    return columns;
}

Result<TableGrant> parse_table(JsonObject const& object)
{
    TableGrant grant;
    grant.schema = TRY(string_member(object, "schema"));
    grant.table = TRY(string_member(object, "table"));
    TRY(check_identifier("a schema", grant.schema));
    TRY(check_identifier("a table", grant.table));
    grant.columns = TRY(parse_columns(object));
    if (object.contains("rows")) {
        auto const* const rows = TRY(array_member(object, "rows"));
        if (rows->empty() || rows->size() > conditions_max)
            return invalid_argument("`rows` has 1 to " + std::to_string(conditions_max) + " conditions");
        for (auto const& row : *rows)
            grant.rows.push_back(TRY(parse_condition(row)));
    }
    if (grant.table == every_table && (!grant.columns.empty() || grant.is_filtered()))
        return invalid_argument("`columns` and `rows` are of one table, not of all tables of a schema");
    return grant;
}

Result<> check_distinct(std::vector<TableGrant> const& tables)
{
    std::set<std::pair<std::string, std::string>> seen;
    std::set<std::string> views;
    for (auto const& grant : tables) {
        if (!seen.emplace(grant.schema, grant.table).second)
            return invalid_argument("table `" + grant.schema + "." + grant.table + "` is named twice");
        if (grant.is_filtered() && !views.insert(grant.table).second)
            return invalid_argument("two tables `" + grant.table + "` with `rows`: a job could not tell them apart");
    }
    return {};
}

Result<std::vector<TableGrant>> parse_tables(JsonObject const& resource)
{
    std::vector<TableGrant> tables;
    if (!resource.contains("tables")) {
        tables.push_back(TRY(parse_table(resource)));
        return tables;
    }
    auto const* const list = TRY(array_member(resource, "tables"));
    if (list->empty() || list->size() > tables_max)
        return invalid_argument("`tables` has 1 to " + std::to_string(tables_max) + " tables");
    for (auto const& one : *list) {
        if (!one.is_object())
            return invalid_argument("`tables` is a list of tables");
        tables.push_back(TRY(parse_table(one.get_object())));
    }
    TRY(check_distinct(tables));
    return tables;
}

// `select, insert`
Result<std::set<std::string>> parse_privileges(std::string_view text)
{
    static std::set<std::string, std::less<>> const known { "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE" };
    std::set<std::string> privileges;
    std::string word;
    for (char const c : std::string(text) + ',') {
        if (c != ',' && c != ' ') {
            word += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            continue;
        }
        if (!word.empty() && !known.contains(word))
            return invalid_argument("`" + word.substr(0, 60) + "` is none of SELECT, INSERT, UPDATE, DELETE, CREATE");
        if (!word.empty())
            privileges.insert(std::exchange(word, ""));
    }
    if (privileges.empty())
        return invalid_argument("`privileges` names SELECT, INSERT, UPDATE, DELETE, CREATE");
    return privileges;
}

Result<std::set<std::string>> privileges_of(std::string_view action, JsonObject const& resource, std::vector<TableGrant> const& tables)
{
    if (resource.contains("privileges")) {
        auto const* const declared = TRY(object_member(resource, "privileges"));
        if (declared->contains(action))
            return parse_privileges(TRY(string_member(*declared, action)));
    }
    if (action == "read" || action == "train" || action == "evaluate")
        return std::set<std::string> { "SELECT" };
    if (action != "write")
        return permission_denied("a PostgreSQL role cannot serve action `" + std::string(action) + "`");
    std::set<std::string> privileges { "SELECT", "INSERT", "UPDATE", "DELETE" };
    // To delete a row is to delete its other columns, too.
    if (std::any_of(tables.begin(), tables.end(), [](TableGrant const& grant) { return !grant.columns.empty(); }))
        privileges.erase("DELETE");
    return privileges;
}

// SECURITY: INSERT … ON CONFLICT DO UPDATE of a view reads, and takes over, rows that the view does not show.
Result<> check_filtered(RoleGrants const& grants)
{
    auto const is_filtered = std::any_of(grants.tables.begin(), grants.tables.end(), [](TableGrant const& grant) { return grant.is_filtered(); });
    if (is_filtered && grants.privileges.contains("INSERT") && grants.privileges.contains("UPDATE"))
        return permission_denied("who inserts and updates could reach rows beyond `rows`: `privileges` has to leave out INSERT or UPDATE");
    return {};
}

Result<RoleGrants> parse_template(std::string_view action, JsonObject const& resource)
{
    auto const* const templates = TRY(object_member(resource, "template"));
    if (!templates->contains(action))
        return permission_denied("no template is for action `" + std::string(action) + "`");
    RoleGrants grants;
    grants.template_role = TRY(string_member(*templates, action));
    TRY(check_identifier("a template", grants.template_role));
    return grants;
}

std::string list_of(std::vector<std::string> const& names)
{
    std::string list;
    for (auto const& name : names)
        list += (list.empty() ? "" : ", ") + name;
    return list;
}

std::string words_of(TableGrant const& grant)
{
    auto words = grant.schema + "." + grant.table;
    if (!grant.columns.empty())
        words += " (" + list_of(grant.columns) + ")";
    std::string_view before = " where ";
    for (auto const& condition : grant.rows) {
        words += std::string(before) + condition.column;
        if (!condition.any_of.empty())
            words += (condition.any_of.size() == 1 ? " = " : " in ") + list_of(condition.any_of);
        if (condition.from)
            words += " from " + *condition.from;
        if (condition.before)
            words += " before " + *condition.before;
        before = " and ";
    }
    return words;
}

} // namespace

Result<> check_identifier(std::string_view what, std::string_view name)
{
    if (name.empty() || name.size() > identifier_bytes_max || name.find('\0') != std::string_view::npos)
        return invalid_argument(std::string(what) + " has a name of 1 to " + std::to_string(identifier_bytes_max) + " bytes without NUL");
    return {};
}

Result<RoleGrants> parse_role_grants(std::string_view action, JsonObject const& resource)
{
    if (resource.contains("template"))
        return parse_template(action, resource);
    RoleGrants grants;
    grants.tables = TRY(parse_tables(resource));
    grants.privileges = TRY(privileges_of(action, resource, grants.tables));
    TRY(check_filtered(grants));
    return grants;
}

Result<> check_postgres_resource(JsonObject const& resource)
{
    for (auto const* const member : { "template", "privileges" }) {
        if (!resource.contains(member))
            continue;
        auto const* const by_action = TRY(object_member(resource, member));
        for (auto const& entry : *by_action) {
            // SECURITY: a misspelt `write` would leave what is usual.
            if (std::find(std::begin(dataset_actions), std::end(dataset_actions), entry.key()) == std::end(dataset_actions))
                return invalid_argument("`" + std::string(entry.key()).substr(0, 60) + "` is no action on data sets");
            TRY(parse_role_grants(entry.key(), resource));
        }
    }
    if (!resource.contains("template"))
        TRY(parse_tables(resource));
    return {};
}

std::string words_of(RoleGrants const& grants)
{
    if (!grants.template_role.empty())
        return "what was granted to " + grants.template_role;
    // As people write them: reading first.
    std::string words;
    for (auto const* const privilege : { "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE" }) {
        if (grants.privileges.contains(privilege))
            words += (words.empty() ? "" : ", ") + std::string(privilege);
    }
    std::string_view before = " on ";
    for (auto const& grant : grants.tables) {
        words += std::string(before) + words_of(grant);
        before = ", ";
    }
    return std::string(utf8_prefix(words, words_bytes_max));
}

} // namespace writ::issue
