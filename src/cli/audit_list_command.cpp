// SPDX-License-Identifier: Apache-2.0
//
// writ audit list: records by what they say, and new ones as they come.
#include "audit/record_items.h"
#include "cli/audit_question.h"

#include "net/task.h"

#include <cstdio>
#include <memory>

namespace writ::cli {

namespace {

// A row of the list is for looking over; `audit show` has all of it.
constexpr std::size_t what_characters_max = 70;
// How long a question for new records waits at the authority, and how soon one that is away is asked again.
constexpr int wait_seconds = 25;
constexpr Duration retry_pause = std::chrono::milliseconds(300);

struct Options {
    QuestionOptions question;
    std::string type, decision, workload, run, resource, purpose, policy, classification, trace, request;
    bool follow = false;
};

std::string subject_of(JsonObject const& record)
{
    auto const name = cell(record, "workload_name");
    return name.empty() ? cell(record, "workload") : name;
}

std::string what_of(JsonObject const& record)
{
    auto const type = cell(record, "type");
    if (auto const* items = record.if_contains("items"); items != nullptr && items->is_array())
        return std::to_string(audit::count_items(items->as_array())) + " decisions to " + cell(record, "action");
    if (type == "decision")
        return cell(record, "decision") + " " + cell(record, "action") + " " + cell(record, "resource");
    if (auto const* credential = record.if_contains("credential"); credential != nullptr && credential->is_object())
        return cell(credential->as_object(), "kind") + " " + cell(credential->as_object(), "id");
    return cell(record, "reason");
}

Table new_table()
{
    return Table({ "RECORD", "TIME (UTC)", "TYPE", { "WORKLOAD", Fit::cut }, { "WHAT", Fit::cut }, { "PURPOSE", Fit::cut }, { "RUN", Fit::filled }, { "ASSERTED", Fit::cut } });
}

std::vector<std::string> row_of(JsonObject const& entry, QuestionOptions const& options)
{
    bool const is_whole = options.csv || options.wide;
    auto const& record = entry.at("record").as_object();
    auto const time = cell(record, "time"), what = what_of(record);
    return { cell(entry, "sequence"), options.csv ? time : short_time(time), cell(record, "type"),
        is_whole ? subject_of(record) : short_id(subject_of(record)), is_whole ? what : shortened(what, what_characters_max), cell(record, "purpose"),
        cell(record, "run"), asserted_in(record, is_whole) };
}

net::Parameters filter_of(Options const& options)
{
    net::Parameters parameters;
    add_parameters(parameters,
        { { "type", options.type }, { "decision", options.decision }, { "workload", options.workload }, { "run", options.run },
            { "resource", options.resource }, { "purpose", options.purpose }, { "policy", options.policy },
            { "classification", options.classification }, { "trace", options.trace }, { "request", options.request },
            { "since", options.question.since }, { "until", options.question.until },
            { "attested", options.question.attested ? "true" : "" } });
    return parameters;
}

int list_once(Session const& session, Options const& options)
{
    auto parameters = filter_of(options);
    add_parameters(parameters, { { "limit", std::to_string(options.question.limit) }, { "before", options.question.before } });
    auto const answer = ask_audit(session, options.question, "records", std::move(parameters));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    auto table = new_table();
    for (auto const& item : answer->at("records").as_array())
        table.add(row_of(item.as_object(), options.question));
    print_rows(table, options.question, "no records");
    print_next(*answer, options.question);
    return 0;
}

void print_followed(Session const& session, Options const& options, JsonArray const& records)
{
    auto table = new_table();
    for (auto const& item : records) {
        if (session.json)
            print_json(item);
        else
            table.add(row_of(item.as_object(), options.question));
    }
    table.print_rows(options.question.csv);
    std::fflush(stdout);
}

// Where the log ends now: what comes from there on is new.
Result<std::string> end_of_log(Session const& session, Options const& options)
{
    auto const newest = TRY(ask_audit(session, options.question, "records", { { "limit", "1" } }));
    auto const& records = *TRY(array_member(newest, "records"));
    return records.empty() ? "0" : std::to_string(TRY(integer_member(records.front().as_object(), "sequence")) + 1);
}

bool is_passing(Error const& error) { return error.code == ErrorCode::unavailable || error.code == ErrorCode::resource_exhausted; }

void pause(Duration time)
{
    net::EventLoop loop;
    loop.run(net::delay(time));
}

// Its place is a number in the log, so an authority that was restarted is asked for what came after, and nothing is missed or told twice.
int follow(Session const& session, Options const& options)
{
    auto end = end_of_log(session, options);
    if (end.is_error())
        return fail(end.error());
    auto from = *end;
    if (!session.json)
        new_table().print_titles(options.question.csv);
    for (bool was_away = false;;) {
        auto parameters = filter_of(options);
        add_parameters(parameters, { { "from", from }, { "wait", std::to_string(wait_seconds) }, { "limit", "1000" } });
        auto const answer = ask_audit(session, options.question, "records", std::move(parameters));
        if (answer.is_error() && !is_passing(answer.error()))
            return fail(answer.error());
        if (answer.is_error()) {
            if (!std::exchange(was_away, true))
                (void)fail(unavailable("the authority does not answer; waiting for it: " + answer.error().message));
            pause(retry_pause);
            continue;
        }
        was_away = false;
        print_followed(session, options, answer->at("records").as_array());
        from = cell(*answer, "next");
    }
}

int list(Session const& session, Options const& options)
{
    if (options.follow && !options.question.data.empty())
        return fail(invalid_argument("--follow asks an authority, and --data asks none"));
    return options.follow ? follow(session, options) : list_once(session, options);
}

} // namespace

void add_audit_list_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("list", "Records, newest first");
    auto const options = std::make_shared<Options>();
    command->add_option("--type", options->type, "decision, issuance, revocation, run_start, run_end, administration or startup");
    command->add_option("--decision", options->decision, "allow or deny");
    command->add_option("--workload", options->workload, "SPIFFE ID or declared name");
    command->add_option("--run", options->run, "One run");
    command->add_option("--resource", options->resource, "Id of a resource, Type::id, or name@version; a name finds its versions too");
    command->add_option("--purpose", options->purpose, "What it was to be used for");
    command->add_option("--policy", options->policy, "Id of a policy that determined the decision");
    command->add_option("--classification", options->classification, "Of the resource, such as pii");
    command->add_option("--trace", options->trace, "All records of one request");
    command->add_option("--request", options->request, "The caller's own id of a request");
    command->add_flag("--follow", options->follow, "New records as they come, until interrupted; with --json one a line");
    add_page_options(*command, options->question);
    add_source_options(*command, session, options->question);
    command->footer("Examples:\n  writ audit list --decision deny --since 2h\n  writ audit list --classification pii --purpose train --csv\n"
                    "  writ audit list --follow --json\n  writ audit list --resource fraud@7 --data /mnt/copy");
    command->callback([&session, options] { session.action = [&session, options] { return list(session, *options); }; });
}

} // namespace writ::cli
