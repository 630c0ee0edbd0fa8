// SPDX-License-Identifier: Apache-2.0
#include "issue/sealed_secret/sealed_secret.h"

#include "issue/token_delivery.h"

namespace writ::issue {

namespace {

constexpr std::size_t release_characters = 16; // 80 bits; names are not secret, only unique

class SealedSecretIssuer final : public CredentialIssuer {
public:
    SealedSecretIssuer(Clock const& clock, RandomSource& random)
        : clock_(clock)
        , random_(random)
    {
    }

    [[nodiscard]] bool is_delivered() const override { return true; }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        TRY(string_member(provider, "secret"));
        return plan_token("sealed_secret", provider, accesses);
    }

    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override { co_return release(plan, recipient); }

private:
    Result<Credential> release(CredentialPlan const& plan, Recipient const& recipient)
    {
        if (recipient.expires <= clock_.now())
            return permission_denied("its time is over");
        auto const target = TRY(parse_json_object(plan.target));
        auto const name = std::string(TRY(string_member(target, "secret")));
        auto stored = TRY(recipient.secret(name));
        Credential credential;
        credential.id = name + "/" + std::to_string(stored.version) + "/" + random_.base32(release_characters); // each release by itself
        credential.expires = recipient.expires; // then the agent asks again, or takes the file away
        deliver_token(credential, TRY(parse_token_delivery(target)), std::move(stored.value));
        return credential;
    }

    Clock const& clock_;
    RandomSource& random_;
};

} // namespace

std::unique_ptr<CredentialIssuer> create_sealed_secret_issuer(Clock const& clock, RandomSource& random) { return std::make_unique<SealedSecretIssuer>(clock, random); }

} // namespace writ::issue
