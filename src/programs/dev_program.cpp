// SPDX-License-Identifier: Apache-2.0
#include "programs/programs.h"

#include "agent/agent.h"
#include "cli/output.h"
#include "net/http_client.h"
#include "net/task_end.h"
#include "programs/role.h"

namespace writ::programs {

namespace {

// The agent joins as one of another machine would: with a token, over mutual TLS.
net::Task<Result<SecretText>> make_token(std::string admin_socket)
{
    net::HttpClient client(net::UnixAddress { std::move(admin_socket) });
    auto sent = co_await client.send(cli::post_request("/v1/join-tokens", JsonObject { { "agent", "dev" }, { "ttl_seconds", 60 } }));
    auto const response = CO_TRY(sent);
    if (response.status != 200)
        co_return cli::to_error(response);
    auto parsed = parse_json_object(response.body);
    auto const answer = CO_TRY(parsed);
    auto token = string_member(answer, "token");
    co_return SecretText(std::string(CO_TRY(token)));
}

net::Task<Result<std::unique_ptr<agent::Agent>>> start_agent(
    net::EventLoop* loop, authority::Authority const* authority, Path data, Path run_folder, std::uint16_t loopback_port, Clock const* clock)
{
    agent::AgentOptions options;
    options.loopback_port = loopback_port;
    auto origin = net::parse_https_origin(authority->issuer());
    options.authority = CO_TRY(origin);
    options.data_folder = std::move(data);
    options.run_folder = std::move(run_folder);
    options.container_storage = default_container_storage();
    auto token = co_await make_token(authority->admin_socket());
    options.join_token = CO_TRY(token);
    co_return co_await agent::Agent::start(loop, std::move(options), clock);
}

struct DevArguments {
    RoleOptions role;
    std::uint16_t loopback_port = 0;
};

Result<> serve(cli::Session const& session, DevArguments const& arguments)
{
    auto const& options = arguments.role;
    TRY(set_up_process(options));
    SystemClock const clock;
    SystemRandom random;
    auto const data = data_folder_of(options);
    net::EventLoop loop;
    std::unique_ptr<authority::Authority> authority;
    std::unique_ptr<agent::Agent> agent;
    net::TaskEnd const tasks_end(loop); // tasks refer to both
    authority = TRY(start_authority(loop, session, options, data, clock, random));
    agent = TRY(loop.run(start_agent(&loop, authority.get(), data / "agent", TRY(create_run_folder(session)), arguments.loopback_port, &clock)));
    auto const signal = loop.run_until_signal();
    log_info("dev stops", { { "signal", signal } });
    loop.run(agent->shutdown());
    loop.run(authority->shutdown());
    return {};
}

} // namespace

void add_dev_command(CLI::App& app, cli::Session& session)
{
    auto* command = app.add_subcommand("dev", "Authority and agent in one process, for a laptop");
    auto const arguments = std::make_shared<DevArguments>();
    add_role_options(*command, session, arguments->role);
    add_authority_options(*command, arguments->role, "127.0.0.1:0");
    add_loopback_option(*command, arguments->loopback_port);
    command->footer("Example:\n  writ dev --data /tmp/writ-data --trust-domain acme.example &\n  writ apply -f declarations\n  writ "
                    "run --purpose train -- python train.py");
    command->callback([&session, arguments] {
        session.action = [&session, arguments] {
            auto const served = serve(session, *arguments);
            return served.is_error() ? cli::fail(served.error()) : 0;
        };
    });
}

} // namespace writ::programs
