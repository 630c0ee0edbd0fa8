// SPDX-License-Identifier: Apache-2.0
//
// writ audit never: that nothing was allowed to use a thing, said of a state of the log that can be held against it.
#include "cli/audit_question.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    QuestionOptions question;
    std::string name;
};

std::string workload_of(JsonObject const& record)
{
    auto const name = cell(record, "workload_name");
    return name.empty() ? cell(record, "workload") : name;
}

std::string words_of(JsonObject const& use)
{
    auto const& record = use.at("record").as_object();
    return cell(record, "time") + " by " + workload_of(record) + ", record " + cell(use, "sequence");
}

JsonObject object_or_none(JsonObject const& object, std::string_view name)
{
    auto const* const member = object.if_contains(name);
    return member == nullptr || !member->is_object() ? JsonObject() : member->as_object();
}

void print_statement(JsonObject const& answer)
{
    auto const since = cell(answer, "since");
    auto const proven = cell(answer, "proven_since");
    auto const span = !proven.empty() ? " since " + proven + ", the time of the oldest record that retention has left"
        : since.empty()               ? std::string(" ever")
                                      : " since " + since;
    auto const named = "`" + cell(answer, "name") + "`";
    auto const* const asserted = answer.if_contains("last_asserted_use");
    if (auto const* const use = answer.if_contains("last_use"))
        print_line(paint(Colour::red, "used") + ": " + named + ", last at " + words_of(use->as_object()));
    else if (asserted == nullptr)
        print_line(paint(Colour::green, "never") + ": nothing was allowed to use " + named + span);
    else
        print_line((answer.at("never").as_bool() ? paint(Colour::green, "never attested") : paint(Colour::red, "not attested")) + ": nothing is proven to have used "
            + named + span);
    if (asserted != nullptr) {
        auto const& record = asserted->as_object().at("record").as_object();
        print_line("asserted: " + cell(answer, "asserted_uses") + " uses that nobody but whoever asked speaks of, last at " + words_of(asserted->as_object()) + ", says "
            + cell(record, "caller") + " (" + cell(record, "asserted") + ")");
    }
    print_line("refused: " + cell(answer, "denied") + " times" + span);
    print_line("said of the tree of " + cell(answer, "size") + " records with root " + cell(answer, "root") + ", by this checkpoint:\n");
    print_line(std::string(answer.at("checkpoint").as_string()));
}

// One row, for whoever gathers such statements.
void print_csv(JsonObject const& answer)
{
    Table table({ "NAME", "NEVER", "SINCE", "PROVEN SINCE", "LAST USE", "BY", "RECORD", "REFUSED", "SIZE", "ROOT",
        "ASSERTED USES", "LAST ASSERTED USE", "OF", "ASSERTED BY", "ASSERTED RECORD" });
    auto const use = object_or_none(answer, "last_use"), asserted = object_or_none(answer, "last_asserted_use");
    auto const record = object_or_none(use, "record"), said = object_or_none(asserted, "record");
    table.add({ cell(answer, "name"), cell(answer, "never"), cell(answer, "since"), cell(answer, "proven_since"), cell(record, "time"),
        workload_of(record), cell(use, "sequence"), cell(answer, "denied"), cell(answer, "size"), cell(answer, "root"), cell(answer, "asserted_uses"),
        cell(said, "time"), workload_of(said), cell(said, "caller"), cell(asserted, "sequence") });
    table.print_csv();
}

int never(Session const& session, Options const& options)
{
    net::Parameters parameters { { "name", options.name } };
    add_parameters(parameters, { { "since", options.question.since }, { "attested", options.question.attested ? "true" : "" } });
    auto const answer = ask_audit(session, options.question, "never", std::move(parameters));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else if (options.question.csv)
        print_csv(*answer);
    else
        print_statement(*answer);
    return static_cast<int>(answer->at("never").as_bool() ? Exit::ok : Exit::failure);
}

} // namespace

void add_audit_never_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("never", "Whether nothing was allowed to use a data set, model, endpoint, API or database");
    auto const options = std::make_shared<Options>();
    command->add_option("name", options->name, "Its name, for all its versions, or name@version")->required();
    command->add_option("--since", options->question.since, "RFC 3339, or 90s, 10m, 2h, 7d, 4w ago; otherwise ever");
    add_attested_option(*command, options->question, "Uses that nobody but whoever asked speaks of do not count; they are told all the same");
    add_source_options(*command, session, options->question);
    command->footer("Exit code: 0: never; 1: it was used, and by whom last, or somebody says so. What a log does not hold it does not know: the statement names the\n"
                    "checkpoint that it is about; `writ audit verify` checks the records under it.\n\n"
                    "Example:\n  writ audit never patients/raw --since 2026-01-01T00:00:00Z");
    command->callback([&session, options] { session.action = [&session, options] { return never(session, *options); }; });
}

} // namespace writ::cli
