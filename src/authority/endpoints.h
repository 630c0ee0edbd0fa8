// SPDX-License-Identifier: Apache-2.0
//
// The authority's endpoints, one file each group; api/openapi.yaml documents them and a test holds the two together.
#pragma once

#include "authority/lease_keeper.h"
#include "authority/problem_details.h"
#include "authority/router.h"
#include "authority/run_registry.h"
#include "authority/run_sessions.h"

#include <optional>
#include <set>

namespace writ::authority {

// What handlers work with; all of it outlives the router.
struct Desk {
    AuthorityState& state;
    LeaseKeeper& leases;
    RunRegistry& runs;
    RunSessions& sessions;
};

using Reply = net::Task<Result<net::Response>>;

using EndpointHandler = Reply (*)(Desk, Call);
// The same, unless the workload that calls has made more records than it may for now.
Reply answer_bounded(Desk, Call, EndpointHandler);

// A route whose handler is a free coroutine: nothing is captured that could die before it.
inline void add_route(Router& router, Desk desk, std::string method, std::string pattern, Access access, EndpointHandler handler)
{
    bool const is_bounded = access == Access::workload;
    router.add({ std::move(method), std::move(pattern), access,
        [desk, handler, is_bounded](Call call) { return is_bounded ? answer_bounded(desk, std::move(call), handler) : handler(desk, std::move(call)); } });
}

void add_discovery_routes(Router&, Desk);
void add_token_routes(Router&, Desk);
void add_evaluation_routes(Router&, Desk);
void add_search_routes(Router&, Desk);
void add_log_routes(Router&, Desk);
void add_health_routes(Router&, Desk);
void add_agent_routes(Router&, Desk);
void add_agent_run_routes(Router&, Desk);
void add_declaration_routes(Router&, Desk);
void add_lease_routes(Router&, Desk);
void add_grant_routes(Router&, Desk);
void add_audit_routes(Router&, Desk);
void add_explanation_routes(Router&, Desk);
void add_receipt_routes(Router&, Desk);
void add_export_routes(Router&, Desk);
void add_bundle_routes(Router&, Desk);
void add_secret_routes(Router&, Desk);
void add_replay_routes(Router&, Desk);

void add_all_routes(Router&, Desk);

// How far the declared exports have come.
JsonArray exports_json(AuthorityState const&);

// Joins the records of one request.
std::string new_trace(AuthorityState&);
// The trace that the caller's `traceparent` names (W3C Trace Context), or a new one.
std::string trace_of(AuthorityState&, Call const&);
// The caller's `X-Request-ID`; empty if there is none, or none fit to be recorded.
std::string request_id_of(Call const&);
// The IP address that the caller connects from; empty on a unix socket.
std::string peer_address(Call const&);
// 429 with when to come again, for a workload whose records are more than the authority's RecordMeter has for it; none: it may go on. SECURITY: asked before anything is decided, so
// that nothing which was decided goes unrecorded.
std::optional<net::Response> too_many_records(AuthorityState&, std::string const& caller, std::string const& workload);

// The value of a query parameter, or empty.
std::string query_text(Call const&, std::string_view name);
// SECURITY: a parameter that is mistyped filters nothing, and the answer would look like one to what was asked.
Result<> check_parameters(Call const&, std::set<std::string, std::less<>> const& known);
// A number within limits, `otherwise` if absent.
Result<std::uint64_t> query_number(Call const&, std::string_view name, std::uint64_t otherwise, std::uint64_t max);

// Of a request that applies documents, or asks what they would do: `documents`, each with `path` and `text`.
Result<std::vector<Document>> documents_of(JsonObject const& request);
// The first of their problems, each with its place.
net::Response refuse_documents(std::vector<Problem> const&);

} // namespace writ::authority
