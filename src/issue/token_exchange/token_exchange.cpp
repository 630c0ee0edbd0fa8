// SPDX-License-Identifier: Apache-2.0
#include "issue/token_exchange/token_exchange.h"

#include "issue/oauth_endpoint.h"

namespace writ::issue {

namespace {

constexpr std::string_view exchange_grant = "urn:ietf:params:oauth:grant-type:token-exchange";
constexpr std::string_view bearer_grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";

class TokenExchangeIssuer final : public CredentialIssuer {
public:
    TokenExchangeIssuer(Clock const& clock, TokenServiceLimits limits)
        : endpoints_(clock, limits)
    {
    }

    [[nodiscard]] bool is_delivered() const override { return true; }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        TRY(parse_token_endpoint(TRY(string_member(provider, "endpoint"))));
        return plan_token("token_exchange", provider, accesses);
    }

    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override
    {
        auto parsed = parse_json_object(plan.target);
        auto const target = CO_TRY(parsed);
        auto made = request_of(target, recipient);
        auto request = CO_TRY(made);
        co_return co_await endpoints_.ask(target, std::move(request), recipient.expires);
    }

    net::Task<Result<>> withdraw(SecretText withdrawal, Recipient /*recipient*/) override
    {
        auto parsed = parse_withdrawal(withdrawal);
        auto const taken = CO_TRY(parsed);
        auto form = revocation_form(taken.token);
        // SPEC: RFC 7009 §2.1: a public client says who it is.
        auto found = object_member(taken.target, "parameters");
        if (auto const client = string_or(*CO_TRY(found), "client_id", ""); !client.empty())
            form.add("client_id", std::string(client));
        co_return co_await endpoints_.revoke(taken.target, token_request(form, false));
    }

private:
    static Result<net::Request> request_of(JsonObject const& target, Recipient const& recipient)
    {
        JsonObject claims { { "run", recipient.run }, { "purpose", recipient.purpose } };
        auto const assertion = TRY(recipient.assertion(std::string(TRY(string_member(target, "audience"))), std::move(claims)));
        auto const subject_token_type = TRY(string_member(target, "subject_token_type"));
        net::Parameters parameters;
        if (TRY(string_member(target, "grant")) == "jwt-bearer") {
            parameters.add("grant_type", std::string(bearer_grant));
            parameters.add("assertion", assertion.reveal());
        } else {
            parameters.add("grant_type", std::string(exchange_grant));
            parameters.add("subject_token", assertion.reveal());
            parameters.add("subject_token_type", std::string(subject_token_type));
        }
        if (auto const scope = TRY(string_member(target, "scope")); !scope.empty())
            parameters.add("scope", std::string(scope));
        for (auto const& member : *TRY(object_member(target, "parameters")))
            parameters.add(std::string(member.key()), std::string(member.value().as_string()));
        auto request = token_request(parameters, TRY(string_member(target, "body")) == "json");
        for (auto const& member : *TRY(object_member(target, "headers")))
            request.headers.set(std::string(member.key()), std::string(member.value().as_string()));
        return request;
    }

    OauthEndpoints endpoints_;
};

} // namespace

std::unique_ptr<CredentialIssuer> create_token_exchange_issuer(Clock const& clock, TokenServiceLimits limits)
{
    return std::make_unique<TokenExchangeIssuer>(clock, limits);
}

} // namespace writ::issue
