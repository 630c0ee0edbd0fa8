// SPDX-License-Identifier: Apache-2.0
//
// What agents ask: to join, to be renewed, and SVIDs for the processes they have attested.
#include "authority/decision.h"
#include "authority/endpoints.h"
#include "authority/receipt.h"

#include "base/json_members.h"
#include "base/logger.h"
#include "crypto/digest.h"

#include <algorithm>

namespace writ::authority {

namespace {

constexpr Duration agent_svid_lifetime = std::chrono::hours(24);
// LIMIT: and never longer than the workload's X.509-SVIDs live.
constexpr Duration jwt_svid_lifetime_max = std::chrono::minutes(5);
constexpr Duration watch_max = std::chrono::seconds(30);
// LIMIT: audiences of one JWT-SVID.
constexpr std::size_t audiences_max = 10;
constexpr std::size_t audience_bytes_max = 2048;
// LIMIT: seconds a join token may be valid.
constexpr std::int64_t token_seconds_max = 7 * 86'400;

Result<Bytes> parse_public_key(JsonObject const& request)
{
    auto const spki = TRY(parse_base64(TRY(string_member(request, "public_key"))).in("public_key"));
    auto const type = TRY(crypto::PublicKey::check_spki(spki).in("public_key"));
    if (type != crypto::KeyType::p256)
        return invalid_argument("`public_key` is a P-256 key");
    return spki;
}

// A number that changes whenever the bundle or the declarations do, across restarts too: agents hand it back.
std::uint64_t version_of(AuthorityState const& state) { return state.snapshot->version; }

audit::Record issuance_of(
    AuthorityState& state, std::string const& caller, std::string const& address, Principal const& principal,
    audit::RecordedCredential credential)
{
    audit::Record record;
    record.type = audit::RecordType::issuance;
    record.time = state.clock.now();
    record.trace = new_trace(state);
    record.caller = caller;
    record.workload = principal.id;
    record.workload_name = principal.name;
    record.pipeline = principal.pipeline;
    record.team = principal.team;
    record.claims = recorded_claims(principal.claims);
    if (principal.claims)
        record_posture(record, measured_of(*principal.claims, caller, address, record.time));
    record.policy_version = state.snapshot->version;
    record.credential = std::move(credential);
    record.outcome = "ok";
    return record;
}

// ---- joining

Reply make_join_token(Desk desk, Call call)
{
    auto& state = desk.state;
    auto body = parse_request(call.request.body, { "agent", "ttl_seconds" });
    auto const request = CO_TRY(body);
    auto named = string_member(request, "agent");
    auto const name = std::string(CO_TRY(named));
    if (!identity::is_path_segment(name))
        co_return invalid_argument("an agent's name has letters, digits, `.`, `-` and `_` only");
    std::int64_t seconds = 600;
    if (request.contains("ttl_seconds")) {
        auto given = integer_member(request, "ttl_seconds");
        seconds = CO_TRY(given);
    }
    if (seconds < 1 || seconds > token_seconds_max)
        co_return invalid_argument("`ttl_seconds` is from 1 to " + std::to_string(token_seconds_max));
    auto const secret = state.random.base32(32);
    auto const id = "spiffe://" + state.trust_domain + "/writ/agent/" + name;
    auto const expires = state.clock.now() + std::chrono::seconds(seconds);
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = state.clock.now();
    record.trace = new_trace(state);
    record.caller = call.caller.id;
    record.action = "administer";
    record.outcome = "ok";
    record.reason = "join token for " + id + ", valid until " + to_rfc3339(expires);
    auto const appended = co_await append_record(state, std::move(record));
    if (appended.is_error())
        co_return appended.error();
    auto const added = state.store.join_tokens->add({ to_hex(crypto::sha256(as_bytes(secret))), id, expires });
    if (added.is_error())
        co_return added.error();
    co_return json_response(JsonObject { { "token", secret + "." + to_hex(crypto::sha256(state.keys.root_certificate())) },
        { "agent_id", id }, { "expires", to_rfc3339(expires) } });
}

net::Task<Result<net::Response>> issue_to_agent(AuthorityState& state, identity::SpiffeId id, Bytes public_key, std::string reason)
{
    auto const now = state.clock.now();
    auto issued = state.keys.x509().issue({ id, std::move(public_key), agent_svid_lifetime, {}, {} }, now, state.random);
    auto const svid = CO_TRY(issued);
    Principal principal;
    principal.id = id.text();
    auto record = issuance_of(state, id.text(), "", principal, { "x509_svid", svid.serial, "agent", "", svid.expires });
    record.reason = std::move(reason);
    auto const appended = co_await append_record(state, std::move(record));
    if (appended.is_error())
        co_return appended.error();
    ++state.metrics.x509_svids;
    co_return json_response(JsonObject { { "agent_id", id.text() }, { "certificates", JsonArray { to_base64(svid.certificate) } },
        { "expires", to_rfc3339(svid.expires) }, { "trust_domain", state.trust_domain }, { "issuer", state.issuer },
        { "version", version_of(state) }, { "bundle", identity::to_json(state.keys.bundle()) } });
}

Reply join(Desk desk, Call call)
{
    auto& state = desk.state;
    auto body = parse_request(call.request.body, { "token", "public_key" });
    auto const request = CO_TRY(body);
    auto parsed = parse_public_key(request); // before the token is used up
    auto public_key = CO_TRY(parsed);
    auto given = string_member(request, "token");
    auto const token = CO_TRY(given);
    auto const secret = token.substr(0, token.find('.'));
    auto redeemed = state.store.join_tokens->redeem(to_hex(crypto::sha256(as_bytes(secret))), state.clock.now());
    if (redeemed.is_error() && redeemed.error().code == ErrorCode::not_found) {
        log_warning("a join was refused: no such token, or it was used or has expired", { { "peer", net::describe(call.request.peer) } });
        co_return unauthenticated(redeemed.error().message);
    }
    auto const joined = CO_TRY(redeemed);
    auto const now = state.clock.now();
    auto id = identity::SpiffeId::parse(joined.agent);
    auto const agent = CO_TRY(id);
    auto const added = state.store.agents->add({ agent.text(), now, now, false });
    if (added.is_error())
        co_return added.error();
    log_info("agent joined", { { "agent", agent.text() }, { "peer", net::describe(call.request.peer) } });
    co_return co_await issue_to_agent(state, agent, std::move(public_key), "joined with a token");
}

Reply renew(Desk desk, Call call)
{
    auto body = parse_request(call.request.body, { "public_key" });
    auto const request = CO_TRY(body);
    auto parsed = parse_public_key(request);
    auto public_key = CO_TRY(parsed);
    auto id = identity::SpiffeId::parse(call.caller.id);
    auto const agent = CO_TRY(id);
    co_return co_await issue_to_agent(desk.state, agent, std::move(public_key), "renewed");
}

// ---- SVIDs of workloads

std::optional<net::Response> too_many_records(AuthorityState& state, std::string const& agent, std::vector<IdentifiedWorkload> const& workloads)
{
    for (auto const& workload : workloads)
        if (auto refused = authority::too_many_records(state, agent, workload.id.text()))
            return refused;
    return std::nullopt;
}

struct SvidRequest {
    identity::Claims claims;
    std::vector<IdentifiedWorkload> workloads;
};

Result<SvidRequest> parse_svid_request(AuthorityState const& state, JsonObject const& request)
{
    SvidRequest parsed;
    parsed.claims = TRY(identity::parse_claims(*TRY(object_member(request, "claims"))).in("claims"));
    parsed.workloads = identify(*state.snapshot, parsed.claims);
    if (parsed.workloads.empty())
        return permission_denied("no declared workload has these claims");
    return parsed;
}

Reply x509_svids(Desk desk, Call call)
{
    auto& state = desk.state;
    auto const snapshot = state.snapshot; // what is identified points into it
    auto body = parse_request(call.request.body, { "claims", "public_key" });
    auto const request = CO_TRY(body);
    auto parsed_key = parse_public_key(request);
    auto const public_key = CO_TRY(parsed_key);
    auto parsed = parse_svid_request(state, request);
    auto const svid_request = CO_TRY(parsed);
    if (auto refused = too_many_records(state, call.caller.id, svid_request.workloads))
        co_return std::move(*refused);
    JsonArray svids;
    for (auto const& workload : svid_request.workloads) {
        auto const now = state.clock.now();
        auto issued = state.keys.x509().issue({ workload.id, public_key, workload.workload->svid_lifetime, {}, {} }, now, state.random);
        auto const svid = CO_TRY(issued);
        auto const appended = co_await append_record(state,
            issuance_of(state, call.caller.id, peer_address(call), principal_of(workload, svid_request.claims),
                { "x509_svid", svid.serial, workload.id.text(), "", svid.expires }));
        if (appended.is_error())
            co_return appended.error();
        ++state.metrics.x509_svids;
        svids.push_back(JsonObject { { "id", workload.id.text() }, { "workload", workload.workload->name },
            { "certificates", JsonArray { to_base64(svid.certificate) } }, { "expires", to_rfc3339(svid.expires) },
            { "record", *appended }, { "receipt", receipt_path(*appended) } });
    }
    co_return json_response(JsonObject { { "svids", std::move(svids) } });
}

Result<std::vector<std::string>> parse_audience(JsonObject const& request)
{
    auto audience = TRY(strings_member(request, "audience"));
    auto const is_bad = [](auto const& name) { return name.empty() || name.size() > audience_bytes_max; };
    if (audience.empty() || audience.size() > audiences_max || std::any_of(audience.begin(), audience.end(), is_bad))
        return invalid_argument("`audience` has 1 to 10 names");
    return audience;
}

Result<crypto::Algorithm> parse_algorithm(JsonObject const& request)
{
    auto const name = TRY(text_member_or(request, "algorithm", "ES256"));
    if (name != "ES256" && name != "RS256")
        return invalid_argument("member `algorithm` is ES256 or RS256");
    return name == "RS256" ? crypto::Algorithm::rs256 : crypto::Algorithm::es256;
}

Reply jwt_svids(Desk desk, Call call)
{
    auto& state = desk.state;
    auto const snapshot = state.snapshot;
    auto body = parse_request(call.request.body, { "audience", "claims", "id", "algorithm" });
    auto const request = CO_TRY(body);
    auto parsed_audience = parse_audience(request);
    auto const audience = CO_TRY(parsed_audience);
    auto parsed = parse_svid_request(state, request);
    auto const svid_request = CO_TRY(parsed);
    auto named = text_member_or(request, "id", "");
    auto const wanted = CO_TRY(named);
    auto asked = parse_algorithm(request);
    auto const algorithm = CO_TRY(asked);
    if (auto refused = too_many_records(state, call.caller.id, svid_request.workloads))
        co_return std::move(*refused);
    std::string scope = "aud";
    for (auto const& name : audience)
        scope += " " + name;
    JsonArray svids;
    for (auto const& workload : svid_request.workloads) {
        if (!wanted.empty() && workload.id.text() != wanted)
            continue;
        auto issued = state.keys.jwt(algorithm).issue(
            { workload.id, audience, std::min(jwt_svid_lifetime_max, workload.workload->svid_lifetime), {} }, state.clock.now(),
            state.random);
        auto const svid = CO_TRY(issued);
        auto const appended = co_await append_record(state,
            issuance_of(
                state, call.caller.id, peer_address(call), principal_of(workload, svid_request.claims), { "jwt_svid", svid.id, scope, "", svid.expires }));
        if (appended.is_error())
            co_return appended.error();
        ++state.metrics.jwt_svids;
        svids.push_back(JsonObject { { "id", workload.id.text() }, { "workload", workload.workload->name },
            { "token", svid.token.reveal() }, { "expires", to_rfc3339(svid.expires) }, { "record", *appended },
            { "receipt", receipt_path(*appended) } });
    }
    if (svids.empty())
        co_return permission_denied("the process is not `" + wanted + "`");
    co_return json_response(JsonObject { { "svids", std::move(svids) } });
}

// ---- news

Reply watch(Desk desk, Call call)
{
    auto& state = desk.state;
    auto parsed = query_number(call, "version", 0, UINT64_MAX);
    auto const known = CO_TRY(parsed);
    // What an agent has heard of, so that nothing is missed between two questions. More than there is: of an authority before this one.
    auto heard = query_number(call, "heard", state.changed.version(), UINT64_MAX);
    auto const seen = CO_TRY(heard);
    bool is_news = known != version_of(state) || seen > state.changed.version();
    if (!is_news)
        is_news = co_await state.changed.wait_past(seen, watch_max);
    // News of the same version: something was revoked, and what an agent keeps is to be asked for anew.
    co_return json_response(
        JsonObject { { "version", version_of(state) }, { "news", is_news }, { "heard", state.changed.version() }, { "bundle", identity::to_json(state.keys.bundle()) } });
}

// SECURITY: kinds and names of variables alone; a node's users are told, and what there is to be opened is not theirs to know.
std::set<std::string> channels_of(CredentialProvider const& provider)
{
    std::set<std::string> channels { provider.type };
    for (auto const* member : { "file_variable", "variable" }) {
        if (auto const name = string_or(provider.token, member, ""); !name.empty())
            channels.emplace(name);
    }
    auto const places = array_member(provider.token, "places");
    if (places.is_ok()) {
        for (auto const& place : **places)
            channels.emplace(string_or(place.as_object(), "client", ""));
    }
    return channels;
}

Reply list_channels(Desk desk, Call)
{
    std::set<std::string> channels;
    for (auto const& [name, provider] : desk.state.snapshot->declarations.credential_providers)
        channels.merge(channels_of(provider.value));
    JsonArray array;
    for (auto const& channel : channels)
        array.emplace_back(channel);
    co_return json_response(JsonObject { { "channels", std::move(array) } });
}

} // namespace

void add_agent_routes(Router& router, Desk desk)
{
    add_route(router, desk, "POST", "/v1/join-tokens", Access::administrator, make_join_token);
    add_route(router, desk, "POST", "/v1/agent/join", Access::anyone, join);
    add_route(router, desk, "POST", "/v1/agent/renew", Access::agent, renew);
    add_route(router, desk, "POST", "/v1/agent/svids/x509", Access::agent, x509_svids);
    add_route(router, desk, "POST", "/v1/agent/svids/jwt", Access::agent, jwt_svids);
    add_route(router, desk, "GET", "/v1/agent/watch", Access::agent, watch);
    add_route(router, desk, "GET", "/v1/agent/channels", Access::agent, list_channels);
}

} // namespace writ::authority
