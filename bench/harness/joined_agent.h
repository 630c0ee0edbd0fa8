// SPDX-License-Identifier: Apache-2.0
//
// A benchmark as an agent: joined with a one-time token, known by mutual TLS from then on, and vouching for processes as agents do.
#pragma once

#include "harness/server.h"

#include "agent/authority_client.h"

namespace writ::bench {

struct JoinedAgent {
    net::TcpAddress authority;
    net::HttpClientOptions options; // of clients that are this agent
};

inline net::Task<agent::AgentIdentity> join_with(agent::AuthorityClient* client, SecretText token)
{
    auto identity = co_await client->join(std::move(token));
    if (identity.is_error())
        give_up("join: " + identity.error().message);
    co_return std::move(identity).value();
}

// `clock` outlives the agent.
inline JoinedAgent join_agent(net::EventLoop& loop, Installation const& installation, Clock const& clock)
{
    auto const status = ask(loop, installation.admin_socket(), "GET", "/v1/status");
    auto const token = ask(loop, installation.admin_socket(), "POST", "/v1/join-tokens", { { "agent", "bench" } });
    auto const address = net::parse_https_origin(string_or(status, "issuer", "")).value();
    agent::AuthorityClient joining(address, clock);
    auto identity = loop.run(join_with(&joining, SecretText(std::string(string_or(token, "token", "")))));
    net::TlsClientOptions tls;
    tls.roots = identity.bundle.x509_roots;
    tls.server_id = "spiffe://" + identity.trust_domain + "/writ/authority";
    tls.identity = net::TlsIdentity { identity.certificates, std::move(identity.private_key) };
    return { address, { .tls = net::TlsClientContext::create(std::move(tls), clock).value() } };
}

// What an agent says of a process whose executable is `path`.
inline JsonObject unix_claims(char const* path = "/usr/bin/python3.11")
{
    auto const one = [](char const* value) { return JsonArray { value }; };
    return { { "provider", "unix" },
        { "values", JsonObject { { "unix.uid", one("0") }, { "unix.user", one("root") }, { "unix.gid", one("0") }, { "unix.group", one("root") },
                        { "unix.path", one(path) }, { "unix.sha256", one("9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08") },
                        { "unix.cgroup", one("/system.slice/job.service") }, { "unix.start_time", one("123456") } } } };
}

} // namespace writ::bench
