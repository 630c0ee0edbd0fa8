// SPDX-License-Identifier: Apache-2.0
//
// The agent: one per node. Joins the authority, attests this machine's processes for it, serves the SPIFFE Workload API and runs. One loop,
// one thread.
#pragma once

#include "base/durable_file.h"
#include "base/secret.h"
#include "net/address.h"
#include "net/task.h"

#include <memory>

namespace writ::agent {

struct AgentOptions {
    net::TcpAddress authority;
    Path data_folder;
    Path run_folder;       // sockets, and the private folders of runs
    std::uint16_t loopback_port = 0; // of the local endpoint on 127.0.0.1; 0: the one it had last, or any
    Path container_storage {};       // of podman or CRI-O; empty: none is asked
    SecretText join_token; // needed once; not looked at if the folder has an identity that has not expired
};

class Agent {
public:
    static net::Task<Result<std::unique_ptr<Agent>>> start(net::EventLoop* loop, AgentOptions options, Clock const* clock);
    ~Agent();
    Agent(Agent const&) = delete;
    Agent& operator=(Agent const&) = delete;

    [[nodiscard]] std::string const& id() const;
    net::Task<> shutdown();

private:
    struct Parts;
    explicit Agent(std::unique_ptr<Parts>);
    std::unique_ptr<Parts> parts_;
};

} // namespace writ::agent
