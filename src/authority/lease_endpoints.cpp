// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"
#include "base/utf8.h"

namespace writ::authority {

namespace {

// LIMIT: rows of one answer.
constexpr std::size_t rows_max = 1000;

Reply list_leases(Desk desk, Call call)
{
    store::LeaseFilter filter { query_text(call, "run"), query_text(call, "workload"), query_text(call, "state") == "open", rows_max };
    auto listed = desk.state.store.leases->list(filter);
    auto const leases = CO_TRY(listed);
    JsonArray array;
    for (auto const& lease : leases)
        array.push_back(to_json(lease));
    co_return json_response(JsonObject { { "leases", std::move(array) } });
}

Reply revoke_leases(Desk desk, Call call)
{
    auto body = parse_json_object(call.request.body);
    auto const request = CO_TRY(body);
    auto const id = std::string(string_or(request, "id", ""));
    auto const run = std::string(string_or(request, "run", ""));
    if (id.empty() == run.empty())
        co_return invalid_argument("either `id` (of a lease) or `run` says what to revoke");
    std::string reason(string_or(request, "reason", ""));
    reason = reason.empty() ? "revoked by an administrator" : "revoked by an administrator: " + std::string(utf8_prefix(reason, 200));
    JsonArray revoked;
    if (!id.empty()) {
        auto taken = co_await desk.leases.take_back(id, call.caller.id, reason);
        revoked.emplace_back(CO_TRY(taken));
    } else {
        auto ended = co_await desk.runs.end(run, "", call.caller.id, reason);
        for (auto const& lease : CO_TRY(ended))
            revoked.emplace_back(lease);
    }
    co_return json_response(JsonObject { { "revoked", std::move(revoked) } });
}

Reply list_runs(Desk desk, Call)
{
    auto listed = desk.state.store.runs->newest_runs(rows_max);
    auto const runs = CO_TRY(listed);
    JsonArray array;
    for (auto const& run : runs)
        array.push_back(to_json(run));
    co_return json_response(JsonObject { { "runs", std::move(array) } });
}

} // namespace

void add_lease_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/v1/leases", Access::administrator, list_leases);
    add_route(router, desk, "POST", "/v1/leases/revoke", Access::administrator, revoke_leases);
    add_route(router, desk, "GET", "/v1/runs", Access::administrator, list_runs);
}

} // namespace writ::authority
