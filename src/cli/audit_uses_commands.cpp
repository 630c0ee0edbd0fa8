// SPDX-License-Identifier: Apache-2.0
//
// writ audit who-used, writ audit what-used: uses, from either end.
#include "cli/audit_question.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    QuestionOptions question;
    std::string kind, id;
};

std::string end_of(JsonObject const& use, bool is_csv)
{
    auto const to = cell(use, "to");
    return to.empty() ? "still in use" : is_csv ? to : minute_of(to);
}

std::string records_of(JsonObject const& use)
{
    auto const issuance = cell(use, "issuance_record");
    return cell(use, "decision_record") + (issuance.empty() ? "" : ", " + issuance);
}

std::string start_of(JsonObject const& use, bool is_csv) { return is_csv ? cell(use, "from") : minute_of(cell(use, "from")); }

std::string credential_of(JsonObject const& use)
{
    auto const* const credential = use.if_contains("credential");
    return credential != nullptr && credential->is_object() ? cell(credential->as_object(), "id") : "";
}

// Where every row would repeat what was asked for, nothing is said.
std::string resource_of(JsonObject const& use, std::string_view asked, QuestionOptions const& options)
{
    auto const* const resource = use.at("resource").if_object();
    bool const is_it = resource != nullptr && cell(*resource, "id") == asked;
    return is_it && !options.csv && !options.wide ? "" : cell(use, "resource");
}

std::string id_of(JsonObject const& use, std::string_view name, QuestionOptions const& options)
{
    auto const id = cell(use, name);
    return options.csv || options.wide ? id : short_id(id);
}

void print_who(JsonObject const& page, QuestionOptions const& options, std::string_view asked)
{
    Table table({ { "WORKLOAD", Fit::cut }, { "AS", Fit::wide }, { "RUN", Fit::filled }, { "PURPOSE", Fit::cut }, { "ACTION", Fit::cut },
        { "RESOURCE", Fit::cut }, { "POLICY", Fit::wide }, { "CREDENTIAL", Fit::wide }, "FROM (UTC)", "TO", "TIMES", "RECORDS", { "ASSERTED", Fit::cut },
        { "ATTESTED", Fit::wide } });
    for (auto const& item : page.at("uses").as_array()) {
        auto const& use = item.as_object();
        table.add({ id_of(use, "workload", options), cell(use, "workload_id"), cell(use, "run"), cell(use, "purpose"), cell(use, "action"),
            resource_of(use, asked, options), cell(use, "policies"), credential_of(use), start_of(use, options.csv), end_of(use, options.csv),
            cell(use, "count"), records_of(use), asserted_in(use, options.wide || options.csv), cell(use, "attested") });
    }
    print_rows(table, options, "nobody has used it");
    print_next(page, options);
}

void print_what(JsonObject const& page, QuestionOptions const& options)
{
    Table table({ { "RESOURCE", Fit::cut }, { "ACTION", Fit::cut }, { "PURPOSE", Fit::cut }, { "MODEL", Fit::cut }, { "WORKLOAD", Fit::cut },
        { "RUN", Fit::filled }, "FROM (UTC)", "TO", "TIMES", "RECORDS", { "ASSERTED", Fit::cut }, { "ATTESTED", Fit::wide } });
    for (auto const& item : page.at("uses").as_array()) {
        auto const& use = item.as_object();
        table.add({ cell(use, "resource"), cell(use, "action"), cell(use, "purpose"), cell(use, "model"), id_of(use, "workload", options),
            cell(use, "run"), start_of(use, options.csv), end_of(use, options.csv), cell(use, "count"), records_of(use),
            asserted_in(use, options.wide || options.csv), cell(use, "attested") });
    }
    print_rows(table, options, "it has used nothing");
    print_next(page, options);
}

Result<JsonObject> ask(Session const& session, Options const& options, std::string const& question, std::string_view kind)
{
    auto parameters = page_parameters(options.question);
    add_parameters(parameters, { { kind, options.kind }, { "id", options.id } });
    return ask_audit(session, options.question, question, std::move(parameters));
}

int who_used(Session const& session, Options const& options)
{
    auto const answer = ask(session, options, "who-used", "type");
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_who(*answer, options.question, options.id);
    return 0;
}

int what_used(Session const& session, Options const& options)
{
    auto const answer = ask(session, options, "what-used", "kind");
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    if (answer->contains("uses")) {
        print_what(*answer, options.question);
        return 0;
    }
    if (!options.question.csv)
        print_line(paint(Colour::bold, "what the runs used that made it"));
    print_what(answer->at("used").as_object(), options.question);
    if (!options.question.csv)
        print_line("\n" + paint(Colour::bold, "who used it"));
    print_who(answer->at("used_by").as_object(), options.question, options.id);
    return 0;
}

} // namespace

void add_audit_who_used_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand(
        "who-used", "Who used a resource: as what, for which purpose, by which policy, with which credential, from when to when");
    auto const options = std::make_shared<Options>();
    command->add_option("type", options->kind, "dataset, model, endpoint, api or database")->required();
    command->add_option("name", options->id, "Its name, for all its versions, or name@version")->required();
    add_page_options(*command, options->question);
    add_source_options(*command, session, options->question);
    command->footer("Records that differ in nothing but time are one use. ASSERTED names what nobody but whoever asked says of it, and who that was.\n\nExamples:\n  writ audit who-used dataset oncology/biopsies\n"
                    "  writ audit who-used model fraud@7 --since 30d --csv");
    command->callback([&session, options] { session.action = [&session, options] { return who_used(session, *options); }; });
}

void add_audit_what_used_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("what-used", "What a workload or a run used; of a model, what went into it and who used it");
    auto const options = std::make_shared<Options>();
    command->add_option("kind", options->kind, "workload, run or model")->required();
    command->add_option("id", options->id, "SPIFFE ID or declared name; run; name or name@version of a model")->required();
    add_page_options(*command, options->question);
    add_source_options(*command, session, options->question);
    command->footer("Examples:\n  writ audit what-used run run-aaaabbbbccccddddeeee\n  writ audit what-used workload fraud-trainer --since 7d\n"
                    "  writ audit what-used model fraud@7");
    command->callback([&session, options] { session.action = [&session, options] { return what_used(session, *options); }; });
}

} // namespace writ::cli
