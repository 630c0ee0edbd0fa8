// SPDX-License-Identifier: Apache-2.0
#include "authority/endpoints.h"
#include "authority/revocation_targets.h"
#include "base/json_members.h"
#include "base/utf8.h"

#include <algorithm>
#include <iterator>

namespace writ::authority {

namespace {

// LIMIT: rows of one answer.
constexpr std::size_t rows_max = 1000;
// LIMIT: far above the leases that one authority has; bounds what one question reads.
constexpr std::size_t open_leases_max = 1'000'000;

Reply list_leases(Desk desk, Call call)
{
    auto const checked = check_parameters(call, { "run", "workload", "state" });
    if (checked.is_error())
        co_return checked.error();
    auto const state = query_text(call, "state");
    if (!state.empty() && state != "open")
        co_return invalid_argument("`state` is `open`, or left out for those that have ended, too");
    auto found = co_await leases_of(desk.state, { query_text(call, "run"), query_text(call, "workload"), state == "open", rows_max });
    auto const page = CO_TRY(found);
    JsonArray array;
    for (auto const& lease : page.leases)
        array.push_back(to_json(lease));
    // By name or ID, as the log finds both.
    auto live = co_await live_credentials(desk.state, { .run = query_text(call, "run"), .workload = query_text(call, "workload") });
    auto const sessions = CO_TRY(live);
    co_return json_response(JsonObject { { "leases", std::move(array) }, { "cut", page.is_cut }, { "sessions", authority::to_json(sessions.found) },
        { "sessions_unknown_before", unknown_before(sessions) } });
}

Reply revoke_leases(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "id", "run", "reason" });
    auto const request = CO_TRY(body);
    auto named = text_member_or(request, "id", "");
    auto const id = CO_TRY(named);
    auto of = text_member_or(request, "run", "");
    auto const run = CO_TRY(of);
    if (id.empty() == run.empty())
        co_return invalid_argument("either `id` (of a lease) or `run` says what to revoke");
    auto given = text_member_or(request, "reason", "");
    auto reason = CO_TRY(given);
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

JsonArray array_of(std::vector<std::string> const& ids)
{
    JsonArray array;
    for (auto const& id : ids)
        array.emplace_back(id);
    return array;
}

Result<RevocationTarget> parse_target(JsonObject const& request)
{
    RevocationTarget target;
    int named = 0;
    for (auto const& [name, place] : { std::pair("run", &target.run), std::pair("workload", &target.workload), std::pair("dataset", &target.dataset),
             std::pair("model", &target.model), std::pair("node", &target.node), std::pair("credential", &target.credential) }) {
        *place = TRY(text_member_or(request, name, ""));
        named += place->empty() ? 0 : 1;
    }
    if (named != 1)
        return invalid_argument("one of `run`, `workload`, `dataset`, `model`, `node` and `credential` says what to revoke");
    return target;
}

void add(Revocation& all, Revocation one)
{
    std::ranges::move(one.runs, std::back_inserter(all.runs));
    std::ranges::move(one.leases, std::back_inserter(all.leases));
    std::ranges::move(one.late, std::back_inserter(all.late));
    std::ranges::move(one.remaining.found, std::back_inserter(all.remaining.found));
    auto const& unknown = one.remaining.unknown_before;
    if (unknown && !(all.remaining.unknown_before && *all.remaining.unknown_before >= *unknown))
        all.remaining.unknown_before = unknown;
    all.is_node_banned = all.is_node_banned || one.is_node_banned;
}

// Leases by id or by what they gave, that are being taken back for good.
net::Task<Result<JsonArray>> abandon(Desk desk, std::string credential, std::string caller, std::string reason)
{
    auto listed = desk.state.store.leases->list({ .open_only = true, .limit = open_leases_max });
    auto open = CO_TRY(listed);
    std::erase_if(open, [&credential](auto const& lease) { return lease.id != credential && lease.credential != credential; });
    if (open.empty())
        co_return not_found("no open lease `" + credential + "` is known");
    JsonArray abandoned;
    for (auto const& lease : open) {
        auto done = co_await desk.leases.abandon(lease.id, caller, reason);
        abandoned.emplace_back(CO_TRY(done));
    }
    co_return abandoned;
}

JsonObject revoked_json(Revocation const& done, JsonArray abandoned)
{
    return { { "runs", array_of(done.runs) }, { "revoked", array_of(done.leases) }, { "late", array_of(done.late) },
        { "remaining", authority::to_json(done.remaining.found) }, { "remaining_unknown_before", unknown_before(done.remaining) }, { "node_banned", done.is_node_banned }, { "abandoned", std::move(abandoned) } };
}

Reply revoke_target(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "run", "workload", "dataset", "model", "node", "credential", "reason", "abandon" });
    auto const request = CO_TRY(body);
    auto parsed = parse_target(request);
    auto target = CO_TRY(parsed);
    bool abandons = false;
    if (request.contains("abandon")) {
        auto said = bool_member(request, "abandon");
        abandons = CO_TRY(said);
    }
    if (abandons && target.credential.empty())
        co_return invalid_argument("`abandon` is for one `credential`");
    // A node is known by its name, too.
    if (!target.node.empty() && !target.node.starts_with("spiffe://"))
        target.node = "spiffe://" + desk.state.trust_domain + "/writ/agent/" + target.node;
    auto given = text_member_or(request, "reason", "");
    auto const words = CO_TRY(given);
    std::string const reason(words.empty() ? "by an administrator" : utf8_prefix(words, 200));
    if (abandons) {
        auto done = co_await abandon(desk, target.credential, call.caller.id, reason);
        co_return json_response(revoked_json({}, CO_TRY(done)));
    }
    auto known = co_await known_targets(desk.state, std::move(target));
    auto targets = CO_TRY(known);
    Revocation done;
    for (auto& one : targets) {
        auto revoked = co_await revoke(desk.state, desk.leases, desk.runs, std::move(one), call.caller.id, reason);
        add(done, CO_TRY(revoked));
    }
    std::ranges::stable_sort(done.remaining.found, std::ranges::greater(), &LiveCredential::expires);
    co_return json_response(revoked_json(done, {}));
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
    add_route(router, desk, "POST", "/v1/revocations", Access::administrator, revoke_target);
    add_route(router, desk, "GET", "/v1/runs", Access::administrator, list_runs);
}

} // namespace writ::authority
