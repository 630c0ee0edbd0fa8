// SPDX-License-Identifier: Apache-2.0
#include "programs/programs.h"

#include "agent/agent.h"
#include "agent/agent_files.h"
#include "cli/output.h"
#include "net/task_end.h"
#include "programs/role.h"

namespace writ::programs {

namespace {

struct AgentArguments {
    RoleOptions role;
    std::string authority;
    std::string token_file;
    std::uint16_t loopback_port = 0;
    std::string container_storage = default_container_storage().string();
};

Result<SecretText> read_token(std::string const& file)
{
    if (file.empty())
        return SecretText();
    auto text = to_text(TRY(read_file(file, 4096).in("--join-token-file")));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r'))
        text.pop_back();
    return SecretText(std::move(text));
}

Result<> serve(cli::Session const& session, AgentArguments const& arguments)
{
    TRY(set_up_process(arguments.role));
    SystemClock const clock;
    agent::AgentOptions options;
    options.authority = TRY(net::parse_https_origin(arguments.authority).in("--authority"));
    options.data_folder = arguments.role.data.empty() ? cli::default_data_folder() / "agent" : Path(arguments.role.data);
    options.run_folder = TRY(create_run_folder(session));
    auto token = read_token(arguments.token_file);
    // It is good once; whoever has joined with it may have removed it.
    if (token.is_error() && !agent::has_identity(options.data_folder, clock.now()))
        return std::move(token).error();
    if (token.is_error())
        log_info("the join token is not needed any more", { { "error", token.error().message } });
    else
        options.join_token = std::move(token).value();
    options.loopback_port = arguments.loopback_port;
    options.container_storage = arguments.container_storage;
    net::EventLoop loop;
    std::unique_ptr<agent::Agent> agent;
    net::TaskEnd const tasks_end(loop); // tasks refer to it
    agent = TRY(loop.run(agent::Agent::start(&loop, std::move(options), &clock)));
    auto const signal = loop.run_until_signal();
    log_info("agent stops", { { "signal", signal } });
    loop.run(agent->shutdown());
    return {};
}

} // namespace

void add_agent_command(CLI::App& app, cli::Session& session)
{
    auto* command = app.add_subcommand("agent", "Serve this node: attest its processes, SPIFFE Workload API, runs");
    auto const arguments = std::make_shared<AgentArguments>();
    add_role_options(*command, session, arguments->role);
    command->add_option("--authority", arguments->authority, "The authority's URL")->required()->type_name("URL");
    command
        ->add_option("--join-token-file", arguments->token_file, "File with a one-time token (`writ token create`); needed the first time")
        ->type_name("FILE");
    add_loopback_option(*command, arguments->loopback_port);
    command
        ->add_option("--container-storage", arguments->container_storage, "Of podman or CRI-O: which image a process's container was made of is read there")
        ->capture_default_str()
        ->type_name("DIR");
    command->footer("As root it serves all users of the machine; as another user, that user.\n\nExample:\n  writ agent --authority "
                    "https://authority.acme.internal:8443 --join-token-file node-1.token");
    command->callback([&session, arguments] {
        session.action = [&session, arguments] {
            auto const served = serve(session, *arguments);
            return served.is_error() ? cli::fail(served.error()) : 0;
        };
    });
}

} // namespace writ::programs
