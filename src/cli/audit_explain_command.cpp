// SPDX-License-Identifier: Apache-2.0
//
// writ audit explain
#include "cli/authority_log.h"
#include "cli/commands.h"
#include "cli/declarations.h"
#include "cli/number_option.h"
#include "cli/output.h"
#include "replay/version_record.h"

#include <algorithm>
#include <cstdio>

namespace writ::cli {

namespace {

struct Options {
    std::uint64_t sequence = 0;
    bool csv = false;
    std::string data;
};

constexpr int exit_altered = 1;
constexpr int exit_not_replayed = 3;

Result<JsonObject> explain_offline(Session const& session, Options const& options)
{
    auto const source = TRY(open_entries(session, options.data));
    auto const text = TRY(replay::read_entry(*source, options.sequence));
    auto const record = TRY(audit::parse_record(text));
    auto const stored = TRY(session.declarations->stored(options.data, record.policy_version));
    auto const declared = TRY(session.declarations->compile(stored));
    auto const version_record = TRY(replay::find_version_record(*source, record.policy_version, options.sequence));
    auto object = replay::to_json(TRY(replay::explain(text, declared, version_record)));
    object.emplace("sequence", options.sequence);
    return object;
}

Result<JsonObject> explanation(Session const& session, Options const& options)
{
    if (!options.data.empty())
        return explain_offline(session, options);
    return object_of(call_authority(session, get_request("/v1/audit/records/" + std::to_string(options.sequence) + "/explanation")));
}

std::string by(JsonObject const& decided)
{
    auto const policies = cell(decided, "policies");
    return cell(decided, "decision") + " by " + (policies.empty() ? "no policy" : policies);
}

void print_indented(std::string const& text)
{
    for (std::size_t begin = 0; begin < text.size();) {
        auto const end = std::min(text.find('\n', begin), text.size());
        print_line("            " + printable(std::string_view(text).substr(begin, end - begin)));
        begin = end + 1;
    }
}

// What each condition found. The scope's parts say no more than the policy's text does.
void print_values(JsonArray const& parts)
{
    for (auto const& item : parts)
        for (auto const& found : item.as_object().at("facts").as_array())
            print_line("            " + cell(found.as_object(), "fact") + " was " + cell(found.as_object(), "found"));
}

void print_again(JsonObject const& decided)
{
    print_line("    " + cell(decided, "action") + " " + cell(decided, "resource") + ": " + by(decided));
    for (auto const& part : decided.at("withheld").as_array())
        print_line("        a policy asks for what the log does not have: " + cell(part));
    auto const* const replayed = decided.at("replayed").if_object();
    if (replayed == nullptr)
        return;
    for (auto const& item : replayed->at("determining").as_array()) {
        auto const& policy = item.as_object();
        print_line("        " + cell(policy, "path") + ":" + cell(policy, "line") + ", as it was then:");
        print_indented(std::string(policy.at("text").as_string()));
        print_values(policy.at("parts").as_array());
    }
    for (auto const& item : replayed->at("errors").as_array())
        print_line("        " + cell(item.as_object(), "policy") + " errs and is skipped: " + cell(item.as_object(), "message"));
    for (auto const& item : replayed->at("missing").as_array()) {
        auto const& fact = item.as_object();
        print_line("        " + cell(fact, "fact") + " is " + cell(fact, "found") + "; wanted: " + cell(fact, "wanted"));
    }
}

int exit_code_of(JsonObject const& explained)
{
    if (!explained.at("agrees").as_bool())
        return exit_altered;
    return explained.at("is_replayed").as_bool() ? 0 : exit_not_replayed;
}

int print(JsonObject const& explained)
{
    print_line("record " + cell(explained, "sequence"));
    for (auto const& decided : explained.at("decisions").as_array())
        print_again(decided.as_object());
    for (auto const& contradiction : explained.at("contradictions").as_array())
        std::fprintf(stderr, "writ: ALTERED: %s\n", cell(contradiction).c_str());
    auto const version = cell(explained, "policy_version");
    auto const code = exit_code_of(explained);
    if (code == exit_not_replayed)
        print_line(paint(Colour::bold, "cannot be replayed"));
    else if (code == 0)
        print_line(paint(Colour::green, "the same answer again") + " with the policies and facts of that moment: "
            + (version == "0" ? "nothing was declared"
                              : "declarations version " + version + ", whose SHA-256 is in record " + cell(explained, "version_record")));
    return code;
}

// A row for each of the record's decisions.
void print_csv(JsonObject const& explained)
{
    Table table({ "RECORD", "ACTION", "RESOURCE", "DECISION", "POLICY", "DECIDED AGAIN", "BY", "MISSING", "AGREES", "DECLARATIONS" });
    for (auto const& item : explained.at("decisions").as_array()) {
        auto const& decided = item.as_object();
        auto const* const replayed = decided.at("replayed").if_object();
        std::string missing;
        if (replayed != nullptr)
            for (auto const& fact : replayed->at("missing").as_array())
                missing += (missing.empty() ? "" : "; ") + cell(fact.as_object(), "fact") + " is " + cell(fact.as_object(), "found");
        table.add({ cell(explained, "sequence"), cell(decided, "action"), cell(decided, "resource"), cell(decided, "decision"), cell(decided, "policies"),
            replayed == nullptr ? "" : cell(*replayed, "decision"), replayed == nullptr ? "" : cell(*replayed, "policies"), missing,
            cell(explained, "agrees"), cell(explained, "policy_version") });
    }
    table.print_csv();
}

int explain(Session const& session, Options const& options)
{
    auto const explained = explanation(session, options);
    if (explained.is_error()) {
        auto const code = fail(explained.error());
        return code == static_cast<int>(Exit::failure) ? static_cast<int>(Exit::usage) : code;
    }
    if (options.csv) {
        print_csv(*explained);
        return exit_code_of(*explained);
    }
    if (!session.json)
        return print(*explained);
    print_json(*explained);
    return exit_code_of(*explained);
}

} // namespace

void add_audit_explain_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("explain", "Why a recorded request was allowed or denied: decided again with the policies of that moment");
    auto const options = std::make_shared<Options>();
    command->add_option("record", options->sequence, "The decision's sequence number")->required()->check(number_from(0));
    command->add_option("--data", options->data, "An authority's data folder, or a copy: no authority is asked")->type_name("DIR");
    auto* const csv = command->add_flag("--csv", options->csv, "Comma-separated values (RFC 4180)");
    add_json_flag(*command, session);
    csv->excludes("--json");
    command->footer("Exit code 1 if the answer is another one than the record's, or if the declarations are not those that the log has the "
                    "digest of: log or store were altered.\nExit code 3 if a policy asks for what the log does not have, 2 if there is trouble.\n\nExample:\n  writ audit explain 17");
    command->callback([&session, options] { session.action = [&session, options] { return explain(session, *options); }; });
}

} // namespace writ::cli
