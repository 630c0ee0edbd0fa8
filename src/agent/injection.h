// SPDX-License-Identifier: Apache-2.0
//
// Requests of a run to a service by way of the agent, which adds the token on the way out: the job never holds it, so it may change as often as it likes, and a client that
// takes a key once, when it starts, goes on with the next one. What the job shows is its run's handle, which opens nothing by itself.
#pragma once

#include "agent/loopback.h"
#include "net/http_server.h"
#include "net/tls.h"
#include "net/url_place.h"

#include <map>

namespace writ::agent {

struct PlacedSecret;

// What places of its kind are called. Their `username` is the field that the token is shown in: `authorization: Bearer {token}`.
inline constexpr std::string_view injection_client = "inject";
inline constexpr std::string_view injection_path = "/inject/"; // and host, port and path of the place: `/inject/api.example/v1`

// The agent's connections to other people's servers: whose certificate holds for each.
class Upstreams {
public:
    explicit Upstreams(Clock const& clock)
        : clock_(clock)
    {
    }
    Upstreams(Upstreams const&) = delete;
    Upstreams& operator=(Upstreams const&) = delete;

    // unavailable: not reachable; unauthenticated: somebody else answers there.
    net::Task<Result<std::unique_ptr<net::Stream>>> connect(net::UrlPlace place);

private:
    Clock const& clock_;
    std::map<std::string, std::shared_ptr<net::TlsClientContext>> contexts_; // by host
};

// What a job's clients are told: in values of `environment`, `{inject}` is where the requests go that the token is for, `{handle}` what is shown there.
void name_injection(std::map<std::string, std::string>& environment, std::vector<PlacedSecret> const& places, std::uint16_t loopback_port, SecretText const& handle);

// The place of the run that this path is for, and what is behind it there. Null: none.
struct InjectionTarget {
    RunPlace const* place = nullptr;
    std::string path; // at the service
};
InjectionTarget injection_target(std::vector<RunPlace> const& places, std::string_view path);

// The handle that the request shows where the token is to stand. Nothing: none, or more than one such field.
std::optional<std::string> shown_handle(net::Headers const&, std::string_view field);

net::HttpTakeover injection_takeover(LoopbackDesk* desk);

} // namespace writ::agent
