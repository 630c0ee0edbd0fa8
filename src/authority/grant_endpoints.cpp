// SPDX-License-Identifier: Apache-2.0
//
// Runs that were promised and have not started (`writ run --detach-token`): which there are, and taking them back.
#include "authority/endpoints.h"
#include "authority/revocation_targets.h"
#include "base/json_members.h"
#include "base/utf8.h"

#include <algorithm>

namespace writ::authority {

namespace {

using Grants = std::vector<store::RunGrantStore::RunGrant>;

// LIMIT: rows of one answer; a workload has no more than that.
constexpr std::size_t rows_max = workload_promises_max;

JsonObject to_json(store::RunGrantStore::RunGrant const& grant)
{
    auto const uses = parse_json_object(grant.uses);
    auto const* const listed = uses.is_ok() ? uses->if_contains("uses") : nullptr;
    return { { "id", grant.id }, { "workload", grant.workload }, { "purpose", grant.purpose }, { "uses", listed == nullptr ? JsonValue(JsonArray()) : *listed },
        { "record", grant.record }, { "expires", to_rfc3339(grant.expires) } };
}

// Of a workload by declared name or ID, or of all if empty, newest first. not_found: nothing knows the name.
net::Task<Result<Grants>> grants_of(AuthorityState& state, std::string workload)
{
    auto listed = state.store.run_grants->list("", state.clock.now(), promises_max);
    auto grants = CO_TRY(listed);
    if (workload.empty())
        co_return grants;
    std::erase_if(grants, [&](auto const& grant) { return grant.workload != workload && principal_of_id(*state.snapshot, grant.workload).name != workload; });
    if (grants.empty()) {
        auto const known = co_await workload_ids(state, std::move(workload));
        if (known.is_error())
            co_return known.error();
    }
    co_return grants;
}

Reply list_grants(Desk desk, Call call)
{
    auto const checked = check_parameters(call, { "workload" });
    if (checked.is_error())
        co_return checked.error();
    auto found = co_await grants_of(desk.state, query_text(call, "workload"));
    auto const grants = CO_TRY(found);
    JsonArray array;
    for (std::size_t i = 0; i < std::min(grants.size(), rows_max); ++i)
        array.push_back(to_json(grants[i]));
    co_return json_response(JsonObject { { "grants", std::move(array) }, { "cut", grants.size() > rows_max } });
}

audit::Record record_of(store::RunGrantStore::RunGrant const& grant, std::string const& caller, std::string const& reason, Timestamp now)
{
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = now;
    record.caller = caller;
    record.workload = grant.workload;
    record.purpose = grant.purpose;
    record.action = "administer";
    record.outcome = "ok";
    record.reason = grant.id + ": the run that was promised may not start any more: " + reason;
    return record;
}

Result<Grants> named(AuthorityState& state, std::string const& id)
{
    auto grants = TRY(state.store.run_grants->list("", state.clock.now(), promises_max));
    std::erase_if(grants, [&id](auto const& grant) { return grant.id != id; });
    if (grants.empty())
        return not_found("no promised run `" + id + "`, or it has started or expired");
    return grants;
}

// They go first: on a full disk the record fails, and the runs may not start all the same. What starts meanwhile has started.
net::Task<Result<std::vector<std::string>>> take_back(AuthorityState& state, Grants grants, std::string caller, std::string reason)
{
    std::vector<std::string> taken;
    std::vector<DecisionRecord> records;
    for (auto const& grant : grants) {
        if (state.store.run_grants->remove(grant.id).is_error())
            continue;
        taken.push_back(grant.id);
        records.push_back({ record_of(grant, caller, reason, state.clock.now()) });
    }
    auto const recorded = co_await record_or_spool(state, std::move(records));
    if (recorded.is_error())
        co_return recorded.error();
    co_return taken;
}

Reply revoke_grants(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "id", "workload", "reason" });
    auto const request = CO_TRY(body);
    auto given_id = text_member_or(request, "id", "");
    auto const id = CO_TRY(given_id);
    auto given_workload = text_member_or(request, "workload", "");
    auto const workload = CO_TRY(given_workload);
    auto words = text_member_or(request, "reason", "");
    auto const said = CO_TRY(words);
    if (id.empty() == workload.empty())
        co_return invalid_argument("either `id` (of a promised run) or `workload` says what to revoke");
    auto found = id.empty() ? co_await grants_of(desk.state, workload) : named(desk.state, id);
    auto grants = CO_TRY(found);
    std::string reason(said.empty() ? "by an administrator" : utf8_prefix(said, 200));
    auto taken = co_await take_back(desk.state, std::move(grants), call.caller.id, std::move(reason));
    JsonArray array;
    for (auto const& grant : CO_TRY(taken))
        array.emplace_back(grant);
    co_return json_response(JsonObject { { "revoked", std::move(array) } });
}

} // namespace

void add_grant_routes(Router& router, Desk desk)
{
    add_route(router, desk, "GET", "/v1/grants", Access::administrator, list_grants);
    add_route(router, desk, "POST", "/v1/grants/revoke", Access::administrator, revoke_grants);
}

} // namespace writ::authority
