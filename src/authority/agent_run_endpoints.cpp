// SPDX-License-Identifier: Apache-2.0
//
// Runs, as agents tell of them.
#include "authority/endpoints.h"
#include "base/json_members.h"
#include "base/utf8.h"

#include <algorithm>

namespace writ::authority {

namespace {

// LIMIT: a purpose is a word or two.
constexpr std::size_t purpose_bytes_max = 200;
constexpr std::size_t runs_max = 10'000;

JsonObject to_json(cedar::EntityUid const& uid) { return { { "type", uid.type }, { "id", uid.id } }; }

JsonObject to_json(std::map<std::string, std::string> const& environment)
{
    JsonObject object;
    for (auto const& [name, value] : environment)
        object.emplace(name, value);
    return object;
}

JsonObject to_json(Grant const& grant)
{
    JsonObject object { { "action", grant.action }, { "resource", to_json(grant.resource) }, { "record", number_or_null(grant.decision) } };
    if (grant.session) {
        object.emplace(grant.session->is_delivered ? "delivery" : "session",
            JsonObject { { "provider", grant.session->provider }, { "kind", grant.session->kind }, { "environment", to_json(grant.session->environment) } });
    }
    if (!grant.lease)
        return object;
    JsonArray files;
    for (auto const& file : grant.credential.files) {
        files.push_back(JsonObject { { "name", file.name }, { "variable", file.variable }, { "content", file.content.reveal() } });
    }
    object.emplace("credential",
        JsonObject { { "lease", grant.lease->id }, { "kind", grant.lease->kind }, { "id", grant.lease->credential },
            { "scope", grant.lease->scope }, { "expires", to_rfc3339(grant.lease->expires) },
            { "record", number_or_null(known_record(grant.lease->issuance)) }, { "environment", to_json(grant.credential.environment) },
            { "files", std::move(files) } });
    return object;
}

net::Response denied(std::vector<Denial> const& denials)
{
    JsonArray array;
    for (auto const& denial : denials) {
        JsonObject object { { "action", denial.action }, { "missing", authority::to_json(denial.missing) },
            { "record", number_or_null(denial.record) } };
        if (denial.is_counted)
            object.emplace("counted", true);
        if (!denial.resource.type.empty())
            object.emplace("resource", to_json(denial.resource));
        array.push_back(std::move(object));
    }
    return problem_response_with(permission_denied("the run is not permitted"), { { "denials", std::move(array) } });
}

Result<RunRequest> parse_run(Desk desk, Call const& call, JsonObject const& object)
{
    RunRequest request;
    request.agent = call.caller.id;
    request.address = peer_address(call);
    request.trace = trace_of(desk.state, call);
    request.request = request_id_of(call);
    if (object.contains("rank")) {
        auto const rank = TRY(integer_member(object, "rank"));
        if (rank < 0)
            return invalid_argument("`rank` is a number from 0");
        request.rank = static_cast<std::uint64_t>(rank);
    }
    request.claims = TRY(identity::parse_claims(*TRY(object_member(object, "claims"))).in("claims"));
    request.purpose = TRY(text_member_or(object, "purpose", ""));
    if (request.purpose.size() > purpose_bytes_max)
        return invalid_argument("a purpose has " + std::to_string(purpose_bytes_max) + " bytes at most");
    // It goes into certificates, SQL and other systems' logs.
    if (std::ranges::any_of(request.purpose, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
        return invalid_argument("a purpose has no control characters");
    request.workload = TRY(text_member_or(object, "workload", ""));
    request.token = SecretText(TRY(text_member_or(object, "token", "")));
    if (object.contains("uses"))
        request.uses = TRY(parse_uses(object));
    return request;
}

// By what its claims make it; who is no workload, or several, is refused elsewhere.
std::optional<net::Response> too_many_records(Desk desk, RunRequest const& request)
{
    for (auto const& workload : identify(*desk.state.snapshot, request.claims)) {
        bool const is_meant = request.workload.empty() || request.workload == workload.workload->name || request.workload == workload.id.text();
        if (auto refused = is_meant ? authority::too_many_records(desk.state, request.agent, workload.id.text()) : std::nullopt)
            return refused;
    }
    return std::nullopt;
}

Reply start_run(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "claims", "purpose", "workload", "uses", "token", "rank" });
    auto parsed = parse_run(desk, call, CO_TRY(body));
    auto request = CO_TRY(parsed);
    if (auto refused = too_many_records(desk, request))
        co_return std::move(*refused);
    auto begun = co_await desk.runs.start(std::move(request));
    auto const started = CO_TRY(begun);
    if (!started.denials.empty())
        co_return denied(started.denials);
    JsonArray grants;
    for (auto const& grant : started.grants)
        grants.push_back(to_json(grant));
    co_return json_response(JsonObject { { "run", started.run.id }, { "workload", started.run.workload },
        { "workload_name", started.run.workload_name }, { "grants", std::move(grants) } });
}

Reply promise_run(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "claims", "purpose", "workload", "uses", "token", "rank", "seconds" });
    auto const object = CO_TRY(body);
    auto parsed = parse_run(desk, call, object);
    auto request = CO_TRY(parsed);
    if (auto refused = too_many_records(desk, request))
        co_return std::move(*refused);
    auto seconds = integer_member(object, "seconds");
    // More than there are seconds in any time that is allowed is refused as such.
    auto const lifetime = std::chrono::seconds(std::clamp<std::int64_t>(CO_TRY(seconds), 0, 366 * 86'400));
    auto made = co_await desk.runs.promise(std::move(request), lifetime);
    auto const promised = CO_TRY(made);
    if (!promised.denials.empty())
        co_return denied(promised.denials);
    co_return json_response(JsonObject { { "grant", promised.id }, { "workload", promised.workload }, { "token", promised.token.reveal() },
        { "expires", to_rfc3339(promised.expires) }, { "record", promised.record } });
}

Result<std::string> run_of(Call const& call)
{
    auto const& run = call.captured.at("run");
    if (!identity::is_run_id(run))
        return not_found("no such run");
    return run;
}

Reply renew_run(Desk desk, Call call)
{
    auto named = run_of(call);
    auto const run = CO_TRY(named);
    auto renewed = co_await desk.runs.renew(run, call.caller.id, new_trace(desk.state), peer_address(call));
    auto const leases = CO_TRY(renewed);
    JsonArray array;
    for (auto const& lease : leases)
        array.push_back(JsonObject { { "id", lease.id }, { "expires", to_rfc3339(lease.expires) } });
    co_return json_response(JsonObject { { "leases", std::move(array) } });
}

Result<std::optional<crypto::PublicKey>> parse_public_key(JsonObject const& request)
{
    if (!request.contains("public_key"))
        return std::optional<crypto::PublicKey>();
    auto const der = TRY(parse_base64(TRY(string_member(request, "public_key"))).in("public_key"));
    return std::optional(TRY(crypto::PublicKey::parse_spki(der).in("public_key")));
}

Reply open_session(Desk desk, Call call)
{
    auto named = run_of(call);
    auto const run = CO_TRY(named);
    auto body = parse_request(call.request.body, { "uses", "public_key" });
    auto const request = CO_TRY(body);
    auto listed = parse_uses(request);
    auto key = parse_public_key(request);
    auto const of = desk.state.store.runs->find(run);
    if (auto refused = of.is_ok() ? authority::too_many_records(desk.state, call.caller.id, of->workload) : std::nullopt)
        co_return std::move(*refused);
    SessionRequest session { run, call.caller.id, new_trace(desk.state), CO_TRY(listed), peer_address(call), CO_TRY(key) };
    auto opened = co_await desk.sessions.open(std::move(session));
    auto const given = CO_TRY(opened);
    if (!given.denials.empty())
        co_return denied(given.denials);
    co_return json_response(JsonObject { { "kind", given.kind }, { "id", given.id }, { "scope", given.scope }, { "expires", to_rfc3339(given.expires) },
        { "document", given.document.reveal() } });
}

Reply end_run(Desk desk, Call call)
{
    auto named = run_of(call);
    auto const run = CO_TRY(named);
    auto body = parse_request(call.request.body.empty() ? "{}" : call.request.body, { "reason" });
    auto given = text_member_or(CO_TRY(body), "reason", "ended");
    auto const reason = CO_TRY(given);
    auto ended = co_await desk.runs.end(run, call.caller.id, call.caller.id, std::string(utf8_prefix(reason, 200)));
    auto const leases = CO_TRY(ended);
    JsonArray array;
    for (auto const& lease : leases)
        array.emplace_back(lease);
    co_return json_response(JsonObject { { "revoked", std::move(array) } });
}

Reply sync_runs(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "live" });
    auto const request = CO_TRY(body);
    auto listed = strings_member(request, "live");
    auto live = CO_TRY(listed);
    if (live.size() > runs_max)
        co_return invalid_argument("too many runs");
    auto synced = co_await desk.runs.sync(call.caller.id, std::move(live));
    auto const ended = CO_TRY(synced);
    JsonArray array;
    for (auto const& run : ended)
        array.emplace_back(run);
    co_return json_response(JsonObject { { "ended", std::move(array) } });
}

} // namespace

void add_agent_run_routes(Router& router, Desk desk)
{
    add_route(router, desk, "POST", "/v1/agent/runs", Access::agent, start_run);
    add_route(router, desk, "POST", "/v1/agent/grants", Access::agent, promise_run);
    add_route(router, desk, "POST", "/v1/agent/runs/sync", Access::agent, sync_runs);
    add_route(router, desk, "POST", "/v1/agent/runs/{run}/renew", Access::agent, renew_run);
    add_route(router, desk, "POST", "/v1/agent/runs/{run}/sessions", Access::agent, open_session);
    add_route(router, desk, "POST", "/v1/agent/runs/{run}/end", Access::agent, end_run);
}

} // namespace writ::authority
