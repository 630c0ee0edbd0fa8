// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/docker_config.h"
#include "cli/output.h"
#include "cli/standard_input.h"

#include <memory>

namespace writ::cli {

namespace {

// SPEC: docker-credential-helpers: errors stand on standard output; by this one, clients know that they may go on without.
constexpr std::string_view nothing_found = "credentials not found in native keychain";

int refuse(Error const& error)
{
    print_line(error.code == ErrorCode::not_found ? nothing_found : std::string_view(error.message));
    return static_cast<int>(Exit::failure);
}

Result<SecretText> answer_docker(Session const& session)
{
    auto const question = TRY(read_standard_input(docker_question_bytes_max));
    auto const url = TRY(parse_docker_question(question.reveal()));
    auto const token = TRY(ask_for_token(session, "docker", url));
    auto const registry = question.reveal().substr(0, question.reveal().find_first_of("\r\n"));
    JsonObject const answer { { "ServerURL", registry }, { "Username", token.username }, { "Secret", token.secret.reveal() } };
    return SecretText(to_text(JsonValue(answer)));
}

int get(Session const& session)
{
    auto const answer = answer_docker(session);
    if (answer.is_error())
        return refuse(answer.error());
    std::fputs(answer->reveal().c_str(), stdout);
    return 0;
}

int list(Session const& session)
{
    auto const places = list_places(session);
    if (places.is_error())
        return refuse(places.error());
    JsonObject registries;
    for (auto const& place : places_for(*places, "docker"))
        registries.insert_or_assign(docker_registry(place.url), place.username);
    print_json(registries);
    return 0;
}

int act(Session const& session, std::string const& operation)
{
    if (operation == "get")
        return get(session);
    if (operation == "list")
        return list(session);
    return refuse(permission_denied("a run's tokens are the agent's to give: nothing is stored, and nothing erased"));
}

} // namespace

void add_docker_credential_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("docker-credential", "The run's tokens for registries, as a credential helper of Docker gives them");
    auto const operation = std::make_shared<std::string>();
    command->add_option("operation", *operation, "get (the registry stands on standard input), list; store and erase are refused")->required()->check(
        CLI::IsMember({ "get", "list", "store", "erase", "version" }));
    command->footer("Docker and those that read its configuration call it as `docker-credential-writ`, which is this executable under that name; `writ run` puts it on PATH and into a "
                    "configuration of the run's own, for the registries that declarations name (`docker` of a CredentialProvider).\n\nExample, within a run:\n  "
                    "echo registry.example:5000 | writ docker-credential get");
    add_run_dir_option(*command, session);
    command->callback([&session, operation] { session.action = [&session, operation] { return act(session, *operation); }; });
}

} // namespace writ::cli
