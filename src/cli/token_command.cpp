// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/number_option.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::string agent;
    std::int64_t seconds = 600;
};

int create(Session const& session, Options const& options)
{
    auto const answer = object_of(call_authority(
        session, post_request("/v1/join-tokens", JsonObject { { "agent", options.agent }, { "ttl_seconds", options.seconds } })));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json)
        print_json(*answer);
    else
        print_line(cell(*answer, "token"));
    return 0;
}

} // namespace

void add_token_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("token", "One-time tokens by which agents join");
    command->require_subcommand(1);
    auto* creation = command->add_subcommand("create", "Make a token for one agent; it is shown this once");
    auto const options = std::make_shared<Options>();
    creation->add_option("agent", options->agent, "The agent's name: its SPIFFE ID will end in /writ/agent/NAME")->required();
    creation->add_option("--ttl", options->seconds, "Seconds until it expires")->check(number_from(1))->capture_default_str();
    add_json_flag(*creation, session);
    creation->footer("Example:\n  writ token create node-1 > node-1.token\n  writ agent --authority https://authority.internal:8443 "
                     "--join-token-file node-1.token");
    creation->callback([&session, options] { session.action = [&session, options] { return create(session, *options); }; });
}

} // namespace writ::cli
