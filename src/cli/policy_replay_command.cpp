// SPDX-License-Identifier: Apache-2.0
//
// writ policy replay
#include "cli/audit_question.h"
#include "cli/authority_log.h"
#include "cli/declarations.h"
#include "cli/policy_output.h"
#include "cli/time_option.h"
#include "replay/answers.h"

#include <algorithm>
#include <cstdio>
#include <span>
#include <thread>

namespace writ::cli {

namespace {

// LIMIT: groups that a person reads; `--json` has all.
constexpr std::size_t rows_max = 50;
// LIMIT: more would wait for the same disk.
constexpr unsigned workers_max = 8;

struct Options {
    std::vector<std::string> paths, settings;
    std::string since, workload, data;
    bool prune = false;
    bool csv = false;
};

std::string numbers_of(std::vector<std::uint64_t> const& numbers)
{
    std::string list;
    for (auto const number : numbers)
        list += (list.empty() ? "" : ", ") + std::to_string(number);
    return list;
}

using Change = std::pair<replay::ChangeKey, replay::Change>;

Table table_of(std::span<Change const> changes)
{
    Table table({ "CHANGE", "COUNT", "WORKLOAD", "ACTION", "RESOURCE", "POLICY", "IN THE DRAFT", "RECORDS" });
    for (auto const& [key, change] : changes) {
        table.add({ std::string(to_string(key.kind)), std::to_string(change.occurrences.count), printable(key.workload), printable(key.action),
            printable(to_string(key.resource)), list_of(key.before), list_of(key.after), numbers_of(change.occurrences.examples) });
    }
    return table;
}

void print_changes(replay::Report const& report)
{
    auto const changes = replay::ordered_changes(report);
    table_of(std::span(changes).first(std::min(changes.size(), rows_max))).print("nothing would change");
    if (changes.size() > rows_max)
        print_line("… and " + std::to_string(changes.size() - rows_max) + " more groups; --json has them");
    for (auto const& [key, change] : std::span(changes).first(std::min(changes.size(), rows_max)))
        for (auto const& fact : change.missing)
            print_line("    record " + std::to_string(change.occurrences.examples.front()) + ": " + printable(fact.fact) + " is " + printable(fact.found)
                + "; wanted: " + printable(fact.wanted));
}

int print(replay::Report const& report)
{
    print_changes(report);
    if (report.beyond_groups > 0)
        print_line(std::to_string(report.beyond_groups) + " of them in more groups than are kept");
    for (auto const& [why, count] : report.unjudged)
        print_line(std::to_string(count) + " not judged: " + printable(why));
    print_dropped(report.dropped_before);
    print_line(std::to_string(report.changed) + " of " + std::to_string(report.decisions) + " recorded decisions would change"
        + (report.other_policies > 0 ? "; " + std::to_string(report.other_policies) + " more would be the same by other policies" : ""));
    return report.changed == 0 ? 0 : 1;
}

Result<replay::Declared> draft_of(Session const& session, Options const& options)
{
    auto const settings = TRY(parse_settings(options.settings));
    auto const files = TRY(collect_documents(options.paths, settings));
    auto const current = TRY(current_declarations(session, options.data));
    std::vector<std::string> problems;
    auto declared = session.declarations->apply(current, files, options.prune, problems);
    for (auto const& problem : problems)
        std::fprintf(stderr, "%s\n", printable(problem).c_str());
    return declared;
}

Result<replay::Report> report_of(Session const& session, Options const& options)
{
    auto const since = TRY(parse_since(options.since));
    auto const draft = TRY(draft_of(session, options));
    cedar::Engine const engine(draft.policies, *draft.entities);
    auto const source = TRY(open_entries(session, options.data));
    return replay::replay(*source, engine,
        { .since = since, .workload = options.workload }, std::clamp(std::thread::hardware_concurrency(), 1U, workers_max));
}

int replay_draft(Session const& session, Options const& options)
{
    auto const report = report_of(session, options);
    if (report.is_error()) {
        auto const code = fail(report.error());
        return code == static_cast<int>(Exit::failure) ? static_cast<int>(Exit::usage) : code;
    }
    if (!session.json && !options.csv)
        return print(*report);
    if (options.csv)
        table_of(replay::ordered_changes(*report)).print_csv();
    else
        print_json(replay::to_json(*report));
    return report->changed == 0 ? 0 : 1;
}

} // namespace

void add_policy_replay_command(CLI::App& policy, Session& session)
{
    auto* command = policy.add_subcommand("replay", "What a draft would decide otherwise than is on record");
    auto const options = std::make_shared<Options>();
    command->add_option("path", options->paths, "The draft: files or folders as for `writ apply -f`, which would put it in force")->required();
    command->add_option("--since", options->since, "Records of that time and later: RFC 3339, or 30m, 2h, 7d ago")->type_name("TIME");
    command->add_option("--workload", options->workload, "Of one workload: SPIFFE ID or declared name");
    command->add_option("--data", options->data, "An authority's data folder, or a copy: no authority is asked")->type_name("DIR");
    command->add_option("--set", options->settings, "Value for ${NAME} in the files; the environment has the rest")->type_name("NAME=VALUE");
    command->add_flag("--prune", options->prune, "What is declared and not among the files is gone in the draft");
    auto* const csv = command->add_flag("--csv", options->csv, "Comma-separated values (RFC 4180)");
    add_json_flag(*command, session);
    csv->excludes("--json");
    command->footer("Each recorded decision is compared with what the draft says to the same request, with the draft's resources and the "
                    "workload and circumstances on record.\nExit codes: 0 no decision would change, 1 some would, 2 trouble.\n\nExamples:\n"
                    "  writ policy replay --since 7d policies/draft\n  writ policy replay --data /var/lib/writ --prune declarations --json");
    command->callback([&session, options] { session.action = [&session, options] { return replay_draft(session, *options); }; });
}

} // namespace writ::cli
