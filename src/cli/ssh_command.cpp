// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

namespace writ::cli {

namespace {

int show_user_ca(Session const& session)
{
    auto const answer = call_authority(session, get_request("/.well-known/ssh-user-ca.pub"));
    if (answer.is_error())
        return fail(answer.error());
    std::string_view line = answer->body;
    if (line.ends_with('\n'))
        line.remove_suffix(1);
    print_line(std::string(line));
    return 0;
}

} // namespace

void add_ssh_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("ssh", "Logins by SSH with certificates of a run");
    command->require_subcommand(1);
    auto* ca = command->add_subcommand("ca", "The key that signs them, for a server's `TrustedUserCAKeys`");
    ca->footer("Example:\n  writ ssh ca > /etc/ssh/writ-user-ca.pub");
    ca->callback([&session] { session.action = [&session] { return show_user_ca(session); }; });
}

} // namespace writ::cli
