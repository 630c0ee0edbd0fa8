// SPDX-License-Identifier: Apache-2.0
#include "issue/oidc_token/oidc_token.h"

#include "issue/token_delivery.h"

namespace writ::issue {

namespace {

class OidcTokenIssuer final : public CredentialIssuer {
public:
    [[nodiscard]] bool is_delivered() const override { return true; }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        if (TRY(string_member(provider, "audience")).empty())
            return invalid_argument("a token has an audience");
        return plan_token("oidc_token", provider, accesses);
    }

    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override { co_return issue(plan, recipient); }

private:
    static Result<Credential> issue(CredentialPlan const& plan, Recipient const& recipient)
    {
        auto const target = TRY(parse_json_object(plan.target));
        JsonObject claims { { "run", recipient.run }, { "purpose", recipient.purpose } };
        if (auto const scope = TRY(string_member(target, "scope")); !scope.empty())
            claims.emplace("scope", scope);
        auto token = TRY(recipient.identity_token(std::string(TRY(string_member(target, "audience"))), std::move(claims)));
        Credential credential;
        credential.id = token.id;
        credential.expires = token.expires;
        deliver_token(credential, TRY(parse_token_delivery(target)), std::move(token.token));
        return credential;
    }
};

} // namespace

std::unique_ptr<CredentialIssuer> create_oidc_token_issuer() { return std::make_unique<OidcTokenIssuer>(); }

} // namespace writ::issue
