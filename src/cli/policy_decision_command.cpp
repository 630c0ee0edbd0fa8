// SPDX-License-Identifier: Apache-2.0
//
// writ policy test, writ policy explain
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/policy_files.h"
#include "vocabulary/schema.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

namespace writ::cli {

namespace {

constexpr std::string_view table_ending = ".decisions.json";

Result<cedar::PolicySet> read_policies(std::vector<std::string> const& paths)
{
    auto const sources = TRY(read_policy_sources(paths));
    std::vector<cedar::SyntaxProblem> problems;
    auto policies = vocabulary::parse_policies(sources, problems);
    for (auto const& problem : problems)
        std::fprintf(
            stderr, "%s:%d:%d: %s\n", problem.path.c_str(), problem.span.line, problem.span.column, printable(problem.message).c_str());
    if (!problems.empty())
        return invalid_argument(std::to_string(problems.size()) + (problems.size() == 1 ? " problem" : " problems"));
    return policies;
}

Result<std::vector<Path>> tables_below(std::string const& folder)
{
    std::vector<Path> tables;
    std::error_code error;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
        if (entry.is_regular_file() && entry.path().filename().string().ends_with(table_ending))
            tables.push_back(entry.path());
    }
    if (tables.empty())
        return not_found("no files " + std::string("*") + std::string(table_ending) + " in `" + folder + "`");
    std::sort(tables.begin(), tables.end());
    return tables;
}

std::string text_of(bool allowed) { return allowed ? "allow" : "deny"; }

std::string list_of(std::vector<std::string> const& names)
{
    std::string list;
    for (auto const& name : names)
        list += (list.empty() ? "" : ", ") + printable(name);
    return list.empty() ? "none" : list;
}

void print_missing(cedar::Request const& request, cedar::PolicySet const& policies, cedar::EntityStore const& entities, std::size_t permits)
{
    for (auto const& fact : cedar::explain_denial(request, policies, entities, permits))
        print_line("    " + printable(fact.fact) + " is " + printable(fact.found) + "; wanted: " + printable(fact.wanted));
}

struct Tally {
    std::size_t passed = 0, failed = 0;
};

void check_decision(
    GoldenDecision const& golden, cedar::PolicySet const& policies, cedar::EntityStore const& entities, Path const& file, Tally& tally)
{
    auto decision = cedar::decide(golden.request, policies, entities);
    std::sort(decision.determining.begin(), decision.determining.end());
    if (decision.allowed == golden.allowed && (golden.policies.empty() || decision.determining == golden.policies)) {
        ++tally.passed;
        return;
    }
    ++tally.failed;
    print_line(file.string() + ": " + printable(golden.name));
    print_line("    wanted " + text_of(golden.allowed) + (golden.policies.empty() ? "" : " by " + list_of(golden.policies)) + ", found "
        + text_of(decision.allowed) + " by " + list_of(decision.determining));
    for (auto const& error : decision.errors)
        print_line("    " + printable(error.policy) + " errs: " + printable(error.message));
    print_missing(golden.request, policies, entities, 1);
}

// Each table is decided on by the policies of its own folder.
int test(std::string const& folder)
{
    auto const tables = tables_below(folder);
    if (tables.is_error())
        return fail(tables.error());
    Tally tally;
    for (auto const& file : *tables) {
        auto const policies = read_policies({ file.parent_path().string() });
        if (policies.is_error())
            return fail(Error(policies.error()).in(file.parent_path().string()));
        auto const bytes = read_file(file);
        auto const table = bytes.is_ok() ? parse_golden_table(as_text(*bytes)) : Result<GoldenTable>(bytes.error());
        if (table.is_error())
            return fail(Error(table.error()).in(file.string()));
        for (auto const& golden : table->decisions)
            check_decision(golden, *policies, table->entities, file, tally);
    }
    print_line(std::to_string(tally.passed) + " passed, " + std::to_string(tally.failed) + " failed");
    return tally.failed == 0 ? 0 : 1;
}

struct ExplainOptions {
    std::vector<std::string> paths;
    std::string principal, action, resource, context = "{}", entities;
};

Result<cedar::EntityStore> read_entities(std::string const& file)
{
    if (file.empty())
        return cedar::EntityStore();
    auto const json = TRY(parse_json(to_text(TRY(read_file(file)))));
    cedar::EntityStore store;
    // A golden table has its entities, too.
    auto const& list = json.is_object() && json.as_object().contains("entities") ? json.as_object().at("entities") : json;
    for (auto& entity : TRY(cedar::parse_entities(list, vocabulary::schema())))
        store.add(std::move(entity));
    return store;
}

Result<cedar::Request> read_request(ExplainOptions const& options)
{
    return parse_request({ { "principal", options.principal }, { "action", options.action }, { "resource", options.resource },
        { "context", TRY(parse_json_object(options.context).in("--context")) } });
}

int explain(Session const& session, ExplainOptions const& options)
{
    auto const policies = read_policies(options.paths);
    if (policies.is_error())
        return fail(policies.error());
    auto const entities = read_entities(options.entities);
    if (entities.is_error())
        return fail(Error(entities.error()).in("--entities"));
    auto const request = read_request(options);
    if (request.is_error())
        return fail(request.error());
    auto const decision = cedar::decide(*request, *policies, *entities);
    if (session.json) {
        JsonArray determining, missing;
        for (auto const& policy : decision.determining)
            determining.emplace_back(policy);
        for (auto const& fact : cedar::explain_denial(*request, *policies, *entities, 3))
            missing.push_back(JsonObject { { "fact", fact.fact }, { "found", fact.found }, { "wanted", fact.wanted } });
        print_json(JsonObject {
            { "decision", text_of(decision.allowed) }, { "policies", std::move(determining) }, { "missing", std::move(missing) } });
        return 0;
    }
    print_line(paint(decision.allowed ? Colour::green : Colour::red, text_of(decision.allowed)) + " by " + list_of(decision.determining));
    for (auto const& error : decision.errors)
        print_line("    " + printable(error.policy) + " errs and is skipped: " + printable(error.message));
    print_missing(*request, *policies, *entities, 3);
    return 0;
}

} // namespace

void add_policy_decision_commands(CLI::App& policy, Session& session)
{
    auto* testing = policy.add_subcommand("test", "Decide on golden tables (*.decisions.json) beside the policies");
    auto const folder = std::make_shared<std::string>();
    testing->add_option("folder", *folder, "Folder with .cedar files and tables, or with such folders")->required();
    testing->footer("A table: {\"entities\": [...], \"decisions\": [{\"name\", \"principal\", \"action\", \"resource\", \"context\", "
                    "\"decision\", \"policies\"}]}\n"
                    "Ends with `N passed, M failed`; exit code 1 if one failed.\n\nExample:\n  writ policy test policies");
    testing->callback([&session, folder] { session.action = [folder] { return test(*folder); }; });

    auto* explaining = policy.add_subcommand("explain", "Decide on one request, and say why");
    auto const options = std::make_shared<ExplainOptions>();
    explaining->add_option("path", options->paths, "Files, or folders with .cedar files")->required();
    explaining->add_option("--principal", options->principal, "Such as Workload::\"spiffe://acme.ai/x\"")->required();
    explaining->add_option("--action", options->action, "Such as read")->required();
    explaining->add_option("--resource", options->resource, "Such as Dataset::\"fraud/transactions\"")->required();
    explaining->add_option("--context", options->context, "JSON; what is left out is empty")->capture_default_str();
    explaining->add_option("--entities", options->entities, "JSON file with entities, or a golden table")->type_name("FILE");
    add_json_flag(*explaining, session);
    explaining->callback([&session, options] { session.action = [&session, options] { return explain(session, *options); }; });
}

} // namespace writ::cli
