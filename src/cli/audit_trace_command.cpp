// SPDX-License-Identifier: Apache-2.0
//
// writ audit trace: a model's way from its data to those who called it, as a tree.
#include "cli/audit_question.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    QuestionOptions question;
    std::string model;
};

JsonArray const& children(JsonObject const& object, std::string_view name) { return object.at(name).as_array(); }

std::string record_of(JsonObject const& object) { return paint(Colour::dim, "  record " + cell(object, "record")); }

std::string in_brackets(std::string const& text) { return text.empty() ? "" : " (" + text + ")"; }

std::string subject_of(JsonObject const& run)
{
    auto const name = cell(run, "run");
    return name.empty() ? cell(run, "workload") : name + in_brackets(cell(run, "workload"));
}

void print_branch(bool is_last_parent, bool is_last, std::string const& text)
{
    print_line(std::string(is_last_parent ? "   " : "│  ") + (is_last ? "└─ " : "├─ ") + text);
}

void print_run(JsonObject const& run, bool is_last)
{
    print_line((is_last ? "└─ made by " : "├─ made by ") + subject_of(run) + ": " + cell(run, "actions") + asserted_by(run) + record_of(run));
    auto const& data = children(run, "data");
    for (std::size_t i = 0; i < data.size(); ++i) {
        auto const& item = data[i].as_object();
        print_branch(is_last, i + 1 == data.size(), "from " + cell(item, "resource") + in_brackets(cell(item, "action")) + asserted_by(item) + record_of(item));
    }
}

void print_endpoint(JsonObject const& endpoint, bool is_last)
{
    auto const loader = cell(endpoint, "loaded_by");
    print_line((is_last ? "└─ " : "├─ ") + std::string(loader.empty() ? "served by " : "loaded by ") + cell(endpoint, "endpoint")
        + in_brackets(loader) + asserted_by(endpoint) + record_of(endpoint));
    auto const& callers = children(endpoint, "callers");
    for (std::size_t i = 0; i < callers.size(); ++i) {
        auto const& caller = callers[i].as_object();
        auto const purpose = cell(caller, "purpose");
        print_branch(is_last, i + 1 == callers.size(),
            "called by " + cell(caller, "workload") + (purpose.empty() ? "" : " to " + purpose) + ", " + cell(caller, "calls") + " times"
                + asserted_by(caller) + record_of(caller));
    }
}

void print_model(JsonObject const& model)
{
    auto const version = cell(model, "version");
    print_line(paint(Colour::bold, cell(model, "name") + (version.empty() ? "" : "@" + version)) + "  " + paint(Colour::dim, cell(model, "digest")));
    auto const& runs = children(model, "runs");
    auto const& endpoints = children(model, "endpoints");
    for (std::size_t i = 0; i < runs.size(); ++i)
        print_run(runs[i].as_object(), i + 1 == runs.size() && endpoints.empty());
    for (std::size_t i = 0; i < endpoints.size(); ++i)
        print_endpoint(endpoints[i].as_object(), i + 1 == endpoints.size());
}

// An edge a line.
void print_edges(JsonArray const& models, QuestionOptions const& options)
{
    Table table({ "MODEL", "VERSION", "EDGE", "OF", "WORKLOAD", "HOW", "TIMES", "RECORD", "ATTESTED", "ASSERTED BY" });
    for (auto const& item : models) {
        auto const& model = item.as_object();
        auto const add = [&](std::string edge, std::string of, std::string workload, std::string how, std::string times, JsonObject const& told) {
            bool const is_attested = told.at("attested").as_bool();
            table.add({ cell(model, "name"), cell(model, "version"), std::move(edge), std::move(of), std::move(workload), std::move(how),
                std::move(times), cell(told, "record"), cell(told, "attested"), is_attested ? "" : cell(told, "caller") });
        };
        for (auto const& made : children(model, "runs")) {
            auto const& run = made.as_object();
            add("made", cell(run, "run"), cell(run, "workload"), cell(run, "actions"), "", run);
            for (auto const& data : children(run, "data"))
                add("from", cell(data.as_object(), "resource"), cell(run, "workload"), cell(data.as_object(), "action"), "", data.as_object());
        }
        for (auto const& served : children(model, "endpoints")) {
            auto const& endpoint = served.as_object();
            add("loaded", cell(endpoint, "endpoint"), cell(endpoint, "loaded_by"), "", "", endpoint);
            for (auto const& called : children(endpoint, "callers"))
                add("called", cell(endpoint, "endpoint"), cell(called.as_object(), "workload"), cell(called.as_object(), "purpose"),
                    cell(called.as_object(), "calls"), called.as_object());
        }
    }
    print_rows(table, options, "");
}

int trace(Session const& session, Options const& options)
{
    net::Parameters parameters { { "model", options.model } };
    add_parameters(parameters, { { "attested", options.question.attested ? "true" : "" } });
    auto const answer = ask_audit(session, options.question, "trace", std::move(parameters));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    auto const& models = children(*answer, "models");
    if (options.question.csv) {
        print_edges(models, options.question);
        return 0;
    }
    if (models.empty())
        print_line("no record tells of it");
    for (auto const& model : models)
        print_model(model.as_object());
    print_next(*answer, options.question);
    return 0;
}

} // namespace

void add_audit_trace_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("trace", "A model back to the data it was made of, and on to who called it");
    command->require_subcommand(1);
    auto const options = std::make_shared<Options>();
    auto* model = command->add_subcommand("model", "As a tree: data, runs, versions, endpoints that loaded them, callers");
    model->add_option("name", options->model, "Its name, for all versions, or name@version")->required();
    add_attested_option(*model, options->question, "Without edges that nobody but whoever asked speaks of");
    add_source_options(*model, session, options->question);
    model->footer("Example:\n  writ audit trace model fraud@7");
    model->callback([&session, options] { session.action = [&session, options] { return trace(session, *options); }; });
}

} // namespace writ::cli
