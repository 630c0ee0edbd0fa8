// SPDX-License-Identifier: Apache-2.0
#include "authority/recipient.h"

namespace writ::authority {

namespace {

// LIMIT: how long a token is good that another system is shown; it is shown at once.
constexpr Duration assertion_lifetime = std::chrono::minutes(5);

} // namespace

issue::Recipient recipient_of(AuthorityState& state, RecipientRun run)
{
    // What relying parties know that know nothing else.
    auto const& keys = state.keys.jwt(crypto::Algorithm::rs256);
    issue::Recipient recipient { run.workload.text(), run.run, run.purpose, run.expires };
    recipient.assertion = [&state, &keys, id = run.workload](std::string audience, JsonObject claims) -> Result<SecretText> {
        auto token = TRY(keys.issue({ id, { std::move(audience) }, assertion_lifetime, std::move(claims) }, state.clock.now(), state.random));
        return std::move(token.token);
    };
    recipient.identity_token = [&state, &keys, run](std::string audience, JsonObject claims) -> Result<issue::IdentityToken> {
        auto const now = state.clock.now();
        auto token = TRY(keys.issue({ run.workload, { std::move(audience) }, run.expires - now, std::move(claims) }, now, state.random));
        return issue::IdentityToken { std::move(token.token), std::move(token.id), token.expires };
    };
    recipient.client_assertion = [&state, &keys](std::string client, std::string audience) {
        return keys.client_assertion(client, std::move(audience), state.clock.now(), state.random);
    };
    recipient.secret = [&state](std::string name) { return state.secrets->open(name); };
    recipient.certify_ssh = [&state](crypto::SshCertificate const& certificate, crypto::PublicKey const& subject) {
        return crypto::certify_ssh(certificate, subject, state.keys.ssh_user_ca(), state.random);
    };
    return recipient;
}

} // namespace writ::authority
