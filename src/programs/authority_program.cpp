// SPDX-License-Identifier: Apache-2.0
#include "programs/programs.h"

#include "cli/output.h"
#include "net/task_end.h"
#include "programs/role.h"

namespace writ::programs {

namespace {

Result<> serve(cli::Session const& session, RoleOptions const& options)
{
    TRY(set_up_process(options));
    SystemClock const clock;
    SystemRandom random;
    net::EventLoop loop;
    std::unique_ptr<authority::Authority> authority;
    net::TaskEnd const tasks_end(loop); // tasks refer to it
    authority = TRY(start_authority(loop, session, options, data_folder_of(options), clock, random));
    auto const signal = loop.run_until_signal();
    log_info("authority stops", { { "signal", signal } });
    loop.run(authority->shutdown());
    return {};
}

} // namespace

void add_authority_command(CLI::App& app, cli::Session& session)
{
    auto* command = app.add_subcommand("authority", "Serve: attest, decide, issue, record");
    auto const options = std::make_shared<RoleOptions>();
    add_role_options(*command, session, *options);
    add_authority_options(*command, *options, "127.0.0.1:8443");
    command->footer(
        "Administered over the socket authority.sock in the run folder, by its own user and root alone.\n\nExample:\n"
        "  writ authority --data /var/lib/writ --trust-domain acme.ai --listen 0.0.0.0:8443 --public-host authority.acme.internal");
    command->callback([&session, options] {
        session.action = [&session, options] {
            auto const served = serve(session, *options);
            return served.is_error() ? cli::fail(served.error()) : 0;
        };
    });
}

} // namespace writ::programs
