// SPDX-License-Identifier: Apache-2.0
#include "issue/oauth2_client/oauth2_client.h"

#include "issue/oauth_endpoint.h"

namespace writ::issue {

namespace {

// SPEC: RFC 6749 §2.3.1: both are encoded as forms are, before they become user and password.
SecretText basic_header(std::string_view client, SecretText const& secret)
{
    auto const encoded = [](std::string_view text) { return net::to_form({ { "", std::string(text) } }).substr(1); };
    SecretText const pair(encoded(client) + ":" + encoded(secret.reveal()));
    return SecretText("Basic " + to_base64(as_bytes(pair.reveal())));
}

class Oauth2ClientIssuer final : public CredentialIssuer {
public:
    Oauth2ClientIssuer(Clock const& clock, TokenServiceLimits limits)
        : endpoints_(clock, limits)
    {
    }

    [[nodiscard]] bool is_delivered() const override { return true; }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        TRY(parse_token_endpoint(TRY(string_member(provider, "endpoint"))));
        return plan_token("oauth2_client", provider, accesses);
    }

    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override
    {
        auto parsed = parse_json_object(plan.target);
        auto const target = CO_TRY(parsed);
        auto made = request_of(target, recipient);
        auto request = CO_TRY(made);
        co_return co_await endpoints_.ask(target, std::move(request), recipient.expires);
    }

    net::Task<Result<>> withdraw(SecretText withdrawal, Recipient recipient) override
    {
        auto parsed = parse_withdrawal(withdrawal);
        auto const taken = CO_TRY(parsed);
        auto made = as_client(revocation_form(taken.token), taken.target, recipient);
        auto request = CO_TRY(made);
        co_return co_await endpoints_.revoke(taken.target, std::move(request));
    }

private:
    static Result<net::Request> request_of(JsonObject const& target, Recipient const& recipient)
    {
        net::Parameters form { { "grant_type", "client_credentials" } };
        if (auto const scope = TRY(string_member(target, "scope")); !scope.empty())
            form.add("scope", std::string(scope));
        for (auto const& member : *TRY(object_member(target, "parameters")))
            form.add(std::string(member.key()), std::string(member.value().as_string()));
        return as_client(std::move(form), target, recipient);
    }

    // The form with who asks, in whichever way was declared.
    static Result<net::Request> as_client(net::Parameters form, JsonObject const& target, Recipient const& recipient)
    {
        auto const client = std::string(TRY(string_member(target, "client_id")));
        auto const method = TRY(string_member(target, "authentication"));
        if (method == "private_key_jwt") {
            auto const audience = std::string(TRY(string_member(target, "endpoint")));
            auto const assertion = TRY(recipient.client_assertion(client, audience));
            form.add("client_id", client);
            form.add("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
            form.add("client_assertion", assertion.reveal());
            return token_request(form, false);
        }
        auto const secret = TRY(recipient.secret(std::string(TRY(string_member(target, "secret")))));
        if (method == "client_secret_post") {
            form.add("client_id", client);
            form.add("client_secret", secret.value.reveal());
            return token_request(form, false);
        }
        auto request = token_request(form, false);
        request.headers.set("authorization", basic_header(client, secret.value).reveal());
        return request;
    }

    OauthEndpoints endpoints_;
};

} // namespace

std::unique_ptr<CredentialIssuer> create_oauth2_client_issuer(Clock const& clock, TokenServiceLimits limits)
{
    return std::make_unique<Oauth2ClientIssuer>(clock, limits);
}

} // namespace writ::issue
