// SPDX-License-Identifier: Apache-2.0
//
// Which handler answers which path, and who may call it. The table is data, so that a test can hold it against api/openapi.yaml.
#pragma once

#include "base/log_quota.h"
#include "net/http_message.h"
#include "net/task.h"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace writ::authority {

enum class Access : std::uint8_t {
    anyone,
    workload,      // mutual TLS with an X.509-SVID, or a JWT-SVID as Bearer token; the administration socket too
    agent,         // mutual TLS with the SVID of an agent that has joined
    known,         // any of those; what they may see, the handler says
    administrator, // the administration socket, whose peer has the authority's uid or is root
};
std::string_view to_string(Access);

// Who calls, as far as the connection (and a Bearer token) proves it.
struct Caller {
    enum class Kind : std::uint8_t { anonymous, workload, agent, administrator };
    Kind kind = Kind::anonymous;
    std::string id; // SPIFFE ID, or `uid:0` for an administrator

    [[nodiscard]] bool may_call(Access) const;
};

// A request with its caller and what the path's pattern captured: `{run}` in /v1/agent/runs/{run}/end.
struct Call {
    net::Request const& request;
    Caller const& caller;
    std::map<std::string, std::string, std::less<>> captured;
};

using CallHandler = std::function<net::Task<Result<net::Response>>(Call)>;

struct Route {
    std::string method;
    std::string pattern; // segments are literal, `{name}`, or last of all `{name...}` for the rest of the path
    Access access;
    CallHandler handler;
};

class Router {
public:
    void add(Route route) { routes_.push_back(std::move(route)); }
    [[nodiscard]] std::vector<Route> const& routes() const { return routes_; }

    // The response of the route that fits; 404, 405 and refusals are problem details. SECURITY: an unauthenticated caller learns an
    // error's code only; the message goes to the operator's log.
    net::Task<net::Response> answer(net::Request const&, Caller const&) const;

    // Lines about refusals are bounded, for each caller and for all that have no identity together. `quota` outlives the router.
    void bound_log(LogQuota& quota) { quota_ = &quota; }

private:
    [[nodiscard]] net::Response refuse(net::Request const&, Caller const&, Error const&) const;

    std::vector<Route> routes_;
    LogQuota* quota_ = nullptr;
};

// The captured segments if the path fits the pattern.
std::optional<std::map<std::string, std::string, std::less<>>> match_pattern(std::string_view pattern, std::string_view path);

} // namespace writ::authority
