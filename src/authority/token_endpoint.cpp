// SPDX-License-Identifier: Apache-2.0
//
// Token exchange (RFC 8693): a JWT-SVID meant for the authority becomes one meant for somebody else. No wider than what the Workload API
// gives the same workload, and never longer than the token it is made from; whether the bearer may do anything there is the relying party's
// policy.
#include "authority/endpoints.h"
#include "authority/receipt.h"
#include "authority/token_verification.h"

#include <algorithm>

namespace writ::authority {

namespace {

constexpr std::string_view exchange_grant = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view jwt_type = "urn:ietf:params:oauth:token-type:jwt";
constexpr std::string_view access_token_type = "urn:ietf:params:oauth:token-type:access_token";
// LIMIT: lifetime of an exchanged token.
constexpr Duration exchanged_lifetime_max = std::chrono::hours(1);
constexpr std::size_t audience_bytes_max = 2048;

// SPEC: RFC 6749 §5.2. The description tells nothing of why a token was refused.
net::Response oauth_error(std::string_view code, std::string_view description)
{
    return json_response(JsonObject { { "error", code }, { "error_description", description } }, 400);
}

bool is_token_type(std::string_view type) { return type == jwt_type || type == access_token_type; }

struct Exchange {
    std::string subject_token, actor_token;
    std::vector<std::string> audience;
    std::string requested_type;
};

// SPEC: RFC 8693 §2.1.
std::variant<Exchange, net::Response> parse_exchange(net::Parameters const& form)
{
    auto const get = [&form](std::string_view name) { return std::string(form.get(name).value_or("")); };
    if (get("grant_type") != exchange_grant)
        return oauth_error("unsupported_grant_type", "the grant is token exchange (RFC 8693)");
    Exchange exchange { get("subject_token"), get("actor_token"), {},
        std::string(form.get("requested_token_type").value_or(access_token_type)) };
    if (exchange.subject_token.empty() || !is_token_type(get("subject_token_type")))
        return oauth_error("invalid_request", "subject_token and its type (jwt or access_token) are needed");
    if (exchange.actor_token.empty() != get("actor_token_type").empty()
        || (!exchange.actor_token.empty() && !is_token_type(get("actor_token_type"))))
        return oauth_error("invalid_request", "actor_token and its type go together");
    if (!is_token_type(exchange.requested_type))
        return oauth_error("invalid_request", "requested_token_type is jwt or access_token");
    for (auto const* name : { "audience", "resource" }) {
        for (auto const value : form.all(name))
            exchange.audience.emplace_back(value);
    }
    auto const is_bad = [](auto const& audience) { return audience.empty() || audience.size() > audience_bytes_max; };
    if (exchange.audience.empty() || exchange.audience.size() > 10
        || std::any_of(exchange.audience.begin(), exchange.audience.end(), is_bad))
        return oauth_error("invalid_target", "audience or resource says whom the token is for");
    for (auto const* name :
        { "grant_type", "subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type" }) {
        if (form.all(name).size() > 1)
            return oauth_error("invalid_request", "a parameter is given twice");
    }
    return exchange;
}

audit::Record record_of(AuthorityState& state, Principal const& principal, issue::JwtSvid const& svid, Exchange const& exchange)
{
    audit::Record record;
    record.type = audit::RecordType::issuance;
    record.time = state.clock.now();
    record.trace = new_trace(state);
    record.caller = principal.id;
    record.workload = principal.id;
    record.workload_name = principal.name;
    record.pipeline = principal.pipeline;
    record.team = principal.team;
    record.action = "exchange";
    std::string scope = "aud";
    for (auto const& audience : exchange.audience)
        scope += " " + audience;
    record.credential = audit::RecordedCredential { "jwt_svid", svid.id, std::move(scope), "", svid.expires };
    record.outcome = "ok";
    return record;
}

Reply exchange_token(Desk desk, Call call)
{
    auto& state = desk.state;
    auto const content_type = call.request.headers.get("content-type").value_or("");
    if (content_type.substr(0, content_type.find(';')) != "application/x-www-form-urlencoded")
        co_return oauth_error("invalid_request", "the body is application/x-www-form-urlencoded");
    auto const form = net::parse_form(call.request.body);
    if (form.is_error())
        co_return oauth_error("invalid_request", "the form cannot be read");
    auto parsed = parse_exchange(*form);
    if (auto* refused = std::get_if<net::Response>(&parsed))
        co_return std::move(*refused);
    auto const& exchange = std::get<Exchange>(parsed);
    auto const subject = verify_own_token(state, exchange.subject_token);
    if (subject.is_error())
        co_return oauth_error("invalid_grant", "the subject token does not verify");
    if (auto refused = too_many_records(state, std::string(subject->subject()), ""))
        co_return std::move(*refused);
    auto expires = *subject->expires();
    JsonObject further;
    if (!exchange.actor_token.empty()) {
        auto const actor = verify_own_token(state, exchange.actor_token);
        if (actor.is_error())
            co_return oauth_error("invalid_grant", "the actor token does not verify");
        expires = std::min(expires, *actor->expires());
        JsonObject act { { "sub", actor->subject() } };
        // SPEC: RFC 8693 §4.1: who acted before stays inside.
        if (subject->claims().contains("act"))
            act.emplace("act", subject->claims().at("act"));
        further.emplace("act", std::move(act));
    } else if (subject->claims().contains("act")) {
        further.emplace("act", subject->claims().at("act"));
    }
    auto const now = state.clock.now();
    auto id = identity::SpiffeId::parse(subject->subject());
    // INVARIANT: a lifetime is never longer than its parent's.
    auto issued = state.keys.jwt(crypto::Algorithm::es256)
                      .issue({ CO_TRY(id), exchange.audience, std::min(expires - now, exchanged_lifetime_max), std::move(further) }, now,
                          state.random);
    auto const svid = CO_TRY(issued);
    auto const appended = co_await append_record(
        state, record_of(state, principal_of_id(*state.snapshot, std::string(subject->subject())), svid, exchange));
    if (appended.is_error())
        co_return appended.error();
    ++state.metrics.jwt_svids;
    auto const seconds = std::chrono::floor<std::chrono::seconds>(svid.expires - now).count();
    auto response = json_response(JsonObject { { "access_token", svid.token.reveal() }, { "issued_token_type", exchange.requested_type },
        { "token_type", "Bearer" }, { "expires_in", seconds }, { "record", *appended }, { "receipt", state.issuer + receipt_path(*appended) } });
    response.headers.set("pragma", "no-cache");
    co_return response;
}

} // namespace

void add_token_routes(Router& router, Desk desk) { add_route(router, desk, "POST", "/oauth2/token", Access::anyone, exchange_token); }

} // namespace writ::authority
