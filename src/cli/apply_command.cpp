// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::vector<std::string> paths;
    std::vector<std::string> settings;
    bool dry_run = false;
    bool prune = false;
};

void print_changes(JsonObject const& answer, bool dry_run)
{
    std::size_t unchanged = 0;
    for (auto const& item : answer.at("changes").as_array()) {
        auto const& change = item.as_object();
        auto const what = cell(change, "change");
        if (what == "unchanged") {
            ++unchanged;
            continue;
        }
        auto const colour = what == "create" ? Colour::green : what == "delete" ? Colour::red : Colour::bold;
        print_line(paint(colour, what) + std::string(what.size() < 8 ? 8 - what.size() : 1, ' ') + cell(change, "kind") + " "
            + cell(change, "name"));
    }
    if (unchanged > 0)
        print_line(paint(Colour::dim, std::to_string(unchanged) + " unchanged"));
    print_line(dry_run ? "nothing was applied (--dry-run)" : "version " + cell(answer, "version") + " is in force");
}

// With --json what is wrong is JSON too: problem details, with `errors` for problems in single places.
int fail(Session const& session, Error const& error)
{
    if (!session.json)
        return cli::fail(error);
    print_json(JsonObject { { "title", to_string(error.code) }, { "code", to_string(error.code) }, { "detail", error.message } });
    return static_cast<int>(exit_of(error.code));
}

int fail(Session const& session, net::Response const& response)
{
    auto const problem = parse_json_object(response.body);
    if (!session.json || problem.is_error())
        return cli::fail(response);
    print_json(*problem);
    return static_cast<int>(exit_of(to_error(response).code));
}

int apply(Session const& session, Options const& options)
{
    auto const settings = parse_settings(options.settings);
    if (settings.is_error())
        return fail(session, settings.error());
    auto const documents = collect_documents(options.paths, *settings);
    if (documents.is_error())
        return fail(session, documents.error());
    JsonArray array;
    for (auto const& document : *documents)
        array.push_back(JsonObject { { "path", document.path }, { "text", document.text } });
    auto const response = send_to_authority(session,
        post_request("/v1/declarations",
            JsonObject { { "documents", std::move(array) }, { "dry_run", options.dry_run }, { "prune", options.prune } }));
    if (response.is_error())
        return fail(session, response.error());
    if (response->status >= 400)
        return fail(session, *response);
    auto const answer = parse_json_object(response->body);
    if (answer.is_error())
        return fail(session, answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_changes(*answer, options.dry_run);
    return 0;
}

} // namespace

void add_apply_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("apply", "Declare workloads, datasets, providers and policies, as one transaction");
    auto const options = std::make_shared<Options>();
    command->add_option("-f,--file", options->paths, "File, or folder with all of its .yaml, .yml and .cedar files")
        ->required()
        ->type_name("PATH");
    command->add_option("--set", options->settings, "Value for ${NAME} in the files; the environment has the rest")
        ->type_name("NAME=VALUE");
    command->add_flag("--dry-run", options->dry_run, "Check and show the changes; apply nothing");
    command->add_flag("--prune", options->prune, "Delete what is declared and not among the files");
    add_json_flag(*command, session);
    command->footer("All or nothing: a problem in one file, shown with its place, leaves everything as it was.\n\nExamples:\n"
                    "  writ apply -f examples/oncology --set ONCOLOGY_PORT=5432 --set ONCOLOGY_PASSWORD_FILE=/etc/writ/oncology.password\n"
                    "  writ apply -f declarations --dry-run --prune");
    command->callback([&session, options] { session.action = [&session, options] { return apply(session, *options); }; });
}

} // namespace writ::cli
