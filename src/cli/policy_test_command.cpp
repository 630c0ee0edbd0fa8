// SPDX-License-Identifier: Apache-2.0
//
// writ policy test: golden tables decided with the policies beside them; and with --mutate, whether the tables would notice a change to a policy.
#include "cli/commands.h"
#include "cli/golden_table.h"
#include "cli/policy_output.h"

#include <map>
#include <memory>

namespace writ::cli {

namespace {

struct TestOptions {
    std::string folder;
    bool mutates = false;
};

struct Report {
    std::size_t passed = 0, failed = 0, mutations = 0;
    JsonArray failures, unnoticed;
};

void print(Path const& file, GoldenFailure const& failure)
{
    print_line(file.string() + ": " + printable(failure.row->name));
    print_line("    wanted " + decision_text(failure.row->allowed)
        + (failure.row->policies.empty() ? "" : " by " + list_of(failure.row->policies)) + ", found "
        + decision_text(failure.decision.allowed) + " by " + list_of(failure.decision.determining));
    for (auto const& error : failure.decision.errors)
        print_line("    " + printable(error.policy) + " errs: " + printable(error.message));
    for (auto const& fact : failure.missing)
        print_line("    " + printable(fact.fact) + " is " + printable(fact.found) + "; wanted: " + printable(fact.wanted));
}

JsonObject to_json(Path const& file, GoldenFailure const& failure)
{
    JsonArray errors;
    for (auto const& error : failure.decision.errors)
        errors.push_back(JsonObject { { "policy", error.policy }, { "message", error.message } });
    return { { "table", file.string() }, { "name", failure.row->name }, { "wanted", decision_text(failure.row->allowed) },
        { "wanted_policies", names_json(failure.row->policies) }, { "found", decision_text(failure.decision.allowed) },
        { "policies", names_json(failure.decision.determining) }, { "errors", std::move(errors) } };
}

void add_unnoticed(Session const& session, std::vector<UnnoticedMutation> const& unnoticed, Report& report)
{
    for (auto const& one : unnoticed) {
        report.unnoticed.push_back(
            JsonObject { { "policy", one.policy }, { "path", one.path }, { "line", one.line }, { "change", one.what } });
        if (!session.json)
            print_line(printable(one.path) + ":" + std::to_string(one.line) + ": no row of a table notices " + printable(one.policy) + " "
                + printable(one.what));
    }
}

// Each table is decided on by the policies of its own folder.
Result<> test_folder(Session const& session, Path const& folder, std::vector<Path> const& files, bool mutates, Report& report)
{
    auto const policies = TRY(read_policies({ folder.string() }).in(folder.string()));
    std::vector<GoldenTable> tables;
    for (auto const& file : files) {
        tables.push_back(TRY(read_golden_table(file)));
        auto const failures = failures_of(tables.back(), policies);
        report.failed += failures.size();
        report.passed += tables.back().decisions.size() - failures.size();
        for (auto const& failure : failures) {
            report.failures.push_back(to_json(file, failure));
            if (!session.json)
                print(file, failure);
        }
    }
    if (mutates) {
        auto const [tried, unnoticed] = try_mutations(tables, policies);
        report.mutations += tried;
        add_unnoticed(session, unnoticed, report);
    }
    return {};
}

Result<Report> test(Session const& session, TestOptions const& options)
{
    std::map<Path, std::vector<Path>> folders;
    for (auto const& file : TRY(tables_below(options.folder)))
        folders[file.parent_path()].push_back(file);
    Report report;
    for (auto const& [folder, files] : folders)
        TRY(test_folder(session, folder, files, options.mutates, report));
    return report;
}

int run(Session const& session, TestOptions const& options)
{
    auto report = test(session, options);
    if (report.is_error())
        return fail(report.error());
    auto const unnoticed = report->unnoticed.size();
    if (session.json) {
        print_json(JsonObject { { "passed", report->passed }, { "failed", report->failed }, { "failures", std::move(report->failures) },
            { "mutations", report->mutations }, { "unnoticed", std::move(report->unnoticed) } });
    } else {
        if (options.mutates)
            print_line(
                std::to_string(report->mutations) + " changes to policies tried, " + std::to_string(unnoticed) + " noticed by no row");
        print_line(std::to_string(report->passed) + " passed, " + std::to_string(report->failed) + " failed");
    }
    return report->failed == 0 && unnoticed == 0 ? 0 : 1;
}

} // namespace

void add_policy_test_command(CLI::App& policy, Session& session)
{
    auto* testing = policy.add_subcommand("test", "Decide on golden tables (*.decisions.json) beside the policies");
    auto const options = std::make_shared<TestOptions>();
    testing->add_option("folder", options->folder, "Folder with .cedar files and tables, or with such folders")->required();
    testing->add_flag("--mutate", options->mutates,
        "Also drop and negate each condition and each part of a scope in turn, and tell which of these changes no row notices");
    add_json_flag(*testing, session);
    testing->footer("A table: {\"entities\": [...], \"decisions\": [{\"name\", \"principal\", \"action\", \"resource\", \"context\", "
                    "\"decision\", \"policies\", \"errors\"}]}\n"
                    "A policy that errs fails the row unless `errors` names it.\n"
                    "Ends with `N passed, M failed`; exit code 1 if one failed, or a change was not noticed.\n\nExample:\n  writ policy test "
                    "policies --mutate");
    testing->callback([&session, options] { session.action = [&session, options] { return run(session, *options); }; });
}

} // namespace writ::cli
