// SPDX-License-Identifier: Apache-2.0
//
// writ get, writ delete
#include "cli/commands.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::string kind, name;
};

int get(Session const& session, Options const& options)
{
    net::Parameters query;
    if (!options.kind.empty())
        query.add("kind", options.kind);
    if (!options.name.empty())
        query.add("name", options.name);
    auto const answer = object_of(call_authority(session, get_request("/v1/declarations", std::move(query))));
    if (answer.is_error())
        return fail(answer.error());
    auto const& declarations = answer->at("declarations").as_array();
    if (!options.name.empty() && declarations.empty())
        return fail(not_found("no " + options.kind + " `" + options.name + "` is declared"));
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    if (!options.name.empty()) {
        for (auto const& declaration : declarations)
            print_line(declaration.as_object().at("text").as_string());
        return 0;
    }
    Table table({ "KIND", "NAME", "FROM" });
    for (auto const& item : declarations) {
        auto const& declaration = item.as_object();
        table.add({ cell(declaration, "kind"), cell(declaration, "name"), cell(declaration, "path") });
    }
    table.print("nothing is declared");
    return 0;
}

int remove(Session const& session, Options const& options)
{
    net::Request request = get_request("/v1/declarations", { { "kind", options.kind }, { "name", options.name } });
    request.method = "DELETE";
    auto const response = send_to_authority(session, std::move(request));
    if (response.is_error())
        return fail(response.error());
    if (response->status >= 400)
        return fail(*response);
    auto const answer = parse_json_object(response->body);
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_line("deleted " + options.kind + " " + options.name + "; version " + cell(*answer, "version") + " is in force");
    return 0;
}

} // namespace

void add_get_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("get", "Show what is declared");
    auto const options = std::make_shared<Options>();
    command->add_option(
        "kind", options->kind, "Workload, Dataset, Database, CredentialProvider, TrustProvider, Model, Endpoint, Api or Policies");
    command->add_option("name", options->name, "One declaration, as it was written");
    add_json_flag(*command, session);
    command->footer("Examples:\n  writ get\n  writ get Workload\n  writ get Dataset oncology/biopsies");
    command->callback([&session, options] { session.action = [&session, options] { return get(session, *options); }; });
}

void add_delete_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("delete", "Remove one declaration");
    auto const options = std::make_shared<Options>();
    command->add_option("kind", options->kind, "Its kind")->required();
    command->add_option("name", options->name, "Its name")->required();
    add_json_flag(*command, session);
    command->footer("Refused while another declaration names it.\n\nExample:\n  writ delete Workload oncology-notebook");
    command->callback([&session, options] { session.action = [&session, options] { return remove(session, *options); }; });
}

} // namespace writ::cli
