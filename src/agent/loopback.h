// SPDX-License-Identifier: Apache-2.0
//
// The agent's HTTP endpoint on 127.0.0.1, where the clouds' own clients ask for credentials. Any process of the machine can connect, and a browser too: who
// asks is what the kernel says of the socket's other end, and it must be of a run. docs/threat-model.md
#pragma once

#include "agent/run_watch.h"
#include "attest/unix/tcp_peer.h"
#include "base/log_quota.h"
#include "net/http_message.h"

#include <memory>

namespace writ::agent {

class ImdsTokens;
class SvidCache;
class Upstreams;

// What the endpoint works with; all of it outlives it.
struct LoopbackDesk {
    RunWatch& runs;
    SessionCache& sessions;
    ImdsTokens& imds_tokens;
    attest::SocketHolders& holders;
    Clock const& clock;
    attest::ProcessAttestor& attestor;
    SvidCache& svids;
    net::EventLoop& loop;
    Upstreams& upstreams;
    LogQuota& refusals; // lines about them
    std::uint16_t port = 0;
    std::size_t exchanges = 0; // of injection.h, under way
};

// The run that a request is of.
struct LoopbackCaller {
    WatchedRun run;
};

// Guards that cost nothing and need no kernel: `Host` is this endpoint (a page in a browser cannot rebind its name to us), and nobody forwarded the request
// (a proxy that can be talked into fetching a URL adds its mark).
Result<> check_loopback_request(net::Request const&, std::uint16_t port);

// Of a client that connected from 127.0.0.1; absent: of anybody else.
std::optional<std::uint16_t> loopback_client_port(net::Peer const&);

// SECURITY: a process of the run itself, by the socket's other end and its ancestors, of the run's user. `handle`: what it showed besides; absent: it need not show
// one (IMDS). unauthenticated: all else, without saying why.
Result<LoopbackCaller> identify_caller(LoopbackDesk&, net::Request const&, std::optional<std::string_view> handle);

// One line, unless there were too many.
void log_refusal(LoopbackDesk&, net::Peer const&, Error const&);

bool is_handle_of(WatchedRun const& run, std::string_view handle);

net::Task<net::Response> answer_loopback_request(LoopbackDesk* desk, net::Request request);

} // namespace writ::agent
