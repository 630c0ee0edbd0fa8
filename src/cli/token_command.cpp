// SPDX-License-Identifier: Apache-2.0
#include "base/durable_file.h"
#include "cli/commands.h"
#include "cli/number_option.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::string agent, output;
    std::int64_t seconds = 600;
};

int create(Session const& session, Options const& options)
{
    auto answer = object_of(call_authority(
        session, post_request("/v1/join-tokens", JsonObject { { "agent", options.agent }, { "ttl_seconds", options.seconds } })));
    if (answer.is_error())
        return fail(answer.error());
    if (!options.output.empty()) {
        // SECURITY: for its owner alone, whatever the umask is.
        auto const written = replace_file(options.output, as_bytes(std::string(string_or(*answer, "token", "")) + "\n"), 0600);
        if (written.is_error())
            return fail(written.error());
        answer->erase("token");
    }
    if (session.json)
        print_json(*answer);
    else if (options.output.empty())
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
    creation->add_option("-o,--output", options->output, "Write it to this file, mode 0600, instead of showing it")->type_name("FILE");
    add_json_flag(*creation, session);
    creation->footer("Example:\n  writ token create node-1 --output node-1.token\n  writ agent --authority https://authority.internal:8443 "
                     "--join-token-file node-1.token");
    creation->callback([&session, options] { session.action = [&session, options] { return create(session, *options); }; });
}

} // namespace writ::cli
