// SPDX-License-Identifier: Apache-2.0
//
// writ policy suggest
#include "cli/audit_question.h"
#include "cli/authority_log.h"
#include "cli/declarations.h"
#include "cli/time_option.h"
#include "replay/answers.h"

#include <cstdio>

namespace writ::cli {

namespace {

struct Options {
    std::string workload, since, data, output;
    bool csv = false;
};

std::string records_of(replay::Occurrences const& occurrences)
{
    std::string list;
    for (auto const number : occurrences.examples)
        list += (list.empty() ? "" : ", ") + std::to_string(number);
    return list;
}

void print_uses(replay::Suggestion const& suggestion)
{
    Table table({ "PERMIT", "ACTION", "RESOURCE", "PURPOSE", "COUNT", "RECORDS" });
    for (auto const& permit : suggestion.permits)
        for (auto const& [key, occurrences] : permit.uses)
            table.add({ printable(permit.policy), printable(key.action), printable(to_string(key.resource)), printable(key.purpose),
                std::to_string(occurrences.count), records_of(occurrences) });
    table.print("it used nothing that today's policies permit");
}

std::vector<std::string> row_of(std::string const& permit, std::string_view advice, replay::UseKey const& key, replay::Occurrences const& occurrences)
{
    return { printable(permit), std::string(advice), printable(key.action), printable(to_string(key.resource)), printable(key.purpose),
        std::to_string(occurrences.count), records_of(occurrences) };
}

// A row for each use, one for each permit without any, and one for each use that no permit allows today.
void print_csv(replay::Suggestion const& suggestion)
{
    Table table({ "PERMIT", "ADVICE", "ACTION", "RESOURCE", "PURPOSE", "COUNT", "RECORDS" });
    for (auto const& permit : suggestion.permits) {
        if (permit.uses.empty())
            table.add({ printable(permit.policy), std::string(to_string(permit.kind)), "", "", "", "0", "" });
        for (auto const& [key, occurrences] : permit.uses)
            table.add(row_of(permit.policy, to_string(permit.kind), key, occurrences));
    }
    for (auto const& [key, occurrences] : suggestion.usage.lost)
        table.add(row_of("", "denied today", key, occurrences));
    table.print_csv();
}

// As comments, so that the whole can be piped into `patch`, which skips what is no difference.
void print(replay::Suggestion const& suggestion)
{
    print_uses(suggestion);
    print_line("");
    for (auto const& permit : suggestion.permits)
        print_line(permit.path + ":" + std::to_string(permit.line) + ": " + printable(permit.policy) + ": " + std::string(to_string(permit.kind)));
    for (auto const& [key, occurrences] : suggestion.usage.lost)
        print_line("denied today, and left so: " + printable(key.action) + " " + printable(to_string(key.resource)) + " for `"
            + printable(key.purpose) + "`, allowed " + std::to_string(occurrences.count) + " times (records " + records_of(occurrences) + ")");
    for (auto const& [why, count] : suggestion.usage.tally.unjudged)
        print_line(std::to_string(count) + " records not judged: " + printable(why));
    print_dropped(suggestion.usage.dropped_before);
    print_line("");
    if (!suggestion.changes_anything())
        print_line("nothing to narrow");
    for (auto const& file : suggestion.files)
        std::fwrite(file.difference.data(), 1, file.difference.size(), stdout);
}

Result<> write_files(replay::Suggestion const& suggestion, Path const& folder)
{
    TRY(create_folder(folder, 0755));
    for (auto const& file : suggestion.files)
        TRY(replace_file(folder / Path(file.path).filename(), as_bytes(file.text), 0644));
    return {};
}

Result<replay::Suggestion> suggestion_for(Session const& session, Options const& options)
{
    auto const since = TRY(parse_since(options.since));
    auto const today = TRY(session.declarations->compile(TRY(current_declarations(session, options.data))));
    auto const source = TRY(open_entries(session, options.data));
    auto suggestion = TRY(replay::suggest(*source, today, { .since = since, .workload = options.workload }));
    if (!options.output.empty())
        TRY(write_files(suggestion, options.output));
    return suggestion;
}

int suggest(Session const& session, Options const& options)
{
    auto const suggestion = suggestion_for(session, options);
    if (suggestion.is_error())
        return fail(suggestion.error());
    if (session.json)
        print_json(replay::to_json(*suggestion));
    else if (options.csv)
        print_csv(*suggestion);
    else
        print(*suggestion);
    return 0;
}

} // namespace

void add_policy_suggest_command(CLI::App& policy, Session& session)
{
    auto* command = policy.add_subcommand("suggest", "The narrowest permits for what a workload used, as a difference to today's");
    auto const options = std::make_shared<Options>();
    command->add_option("--workload", options->workload, "Declared name, or one SPIFFE ID")->required();
    command->add_option("--since", options->since, "What it used from then on: RFC 3339, or 30m, 2h, 7d ago")->type_name("TIME");
    command->add_option("--data", options->data, "An authority's data folder, or a copy: no authority is asked")->type_name("DIR");
    command->add_option("-o,--output", options->output, "Folder to write all policy files to, narrowed")->type_name("DIR");
    auto* const csv = command->add_flag("--csv", options->csv, "Comma-separated values (RFC 4180): what it used, by which permit, and what is proposed for that");
    add_json_flag(*command, session);
    csv->excludes("--json");
    command->footer("A permit that it used becomes permits for exactly those actions, resources and purposes, with the permit's own conditions; one that it never used "
                    "is closed to it. Nothing becomes wider than today, and nobody else's permissions change. The result is valid, and decides what is on record "
                    "as today's policies do.\n\nExample:\n  writ policy suggest --workload oncology-trainer --since 30d -o narrowed\n"
                    "  writ policy replay --since 30d narrowed");
    command->callback([&session, options] { session.action = [&session, options] { return suggest(session, *options); }; });
}

} // namespace writ::cli
