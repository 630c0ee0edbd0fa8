// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"
#include "authority/outage.h"
#include "authority/witness_report.h"

namespace writ::authority {

namespace {

Reply healthz(Desk, Call) { co_return text_response("ok\n", "text/plain; charset=utf-8"); }

Reply readyz(Desk desk, Call)
{
    if (desk.state.audit->log().is_refusing())
        co_return unavailable("the audit log takes no records; restart the authority to read back what is on disk");
    auto const open = desk.state.store.leases->count_open();
    if (open.is_error())
        co_return open.error();
    co_return text_response("ready\n", "text/plain; charset=utf-8");
}

Reply metrics(Desk desk, Call)
{
    auto const open = desk.state.store.leases->count_open();
    auto const size = desk.state.audit->log().size();
    co_return text_response(to_prometheus(desk.state.metrics, open.is_ok() ? *open : 0, size, desk.state.snapshot->version)
            + witnesses_to_prometheus(*desk.state.witnessing, size) + outage_to_prometheus(desk.state.outage->state())
            + to_prometheus(desk.state.exports ? desk.state.exports->status() : std::vector<audit::ExportStatus>()),
        "text/plain; version=0.0.4; charset=utf-8");
}

Reply status(Desk desk, Call)
{
    auto const& state = desk.state;
    auto counted = state.store.leases->count_open();
    auto const leases = CO_TRY(counted);
    auto listed = state.store.agents->list();
    auto const agents = CO_TRY(listed);
    JsonArray names;
    for (auto const& agent : agents)
        names.push_back(JsonObject { { "id", agent.id }, { "joined", to_rfc3339(agent.joined) }, { "banned", agent.banned } });
    auto const& declared = state.snapshot->declarations;
    co_return json_response(
        JsonObject { { "trust_domain", state.trust_domain }, { "issuer", state.issuer }, { "policy_version", state.snapshot->version },
            { "workloads", declared.workloads.size() }, { "policies", state.snapshot->policies.size() }, { "leases", leases },
            { "agents", std::move(names) }, { "tree_size", state.audit->log().size() },
            { "final_size", state.witnessing->final_checkpoint().size }, { "witnesses", state.witnessing->witnesses().size() }, { "exports", exports_json(state) },
            { "time", to_rfc3339(state.clock.now()) } });
}

} // namespace

void add_health_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/healthz", Access::anyone, healthz);
    add_route(router, desk, "GET", "/readyz", Access::anyone, readyz);
    add_route(router, desk, "GET", "/metrics", Access::anyone, metrics);
    add_route(router, desk, "GET", "/v1/status", Access::administrator, status);
}

} // namespace writ::authority
