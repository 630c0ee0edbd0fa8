// SPDX-License-Identifier: Apache-2.0
#include "authority/token_verification.h"

#include "identity/spiffe_id.h"

namespace writ::authority {

Result<crypto::Jwt> verify_own_token(AuthorityState const& state, std::string_view token)
{
    auto const parsed = crypto::UnverifiedJwt::parse(token);
    if (parsed.is_error())
        return unauthenticated("token: " + parsed.error().message);
    auto const* key = state.keys.bundle().find_jwt_key(parsed->key_id_without_verifying());
    if (key == nullptr)
        return unauthenticated("the token names no key of this trust domain");
    crypto::Algorithm const accepted[] = { key->algorithm };
    auto jwt = TRY(parsed->verify(key->key, { .accepted = accepted, .audience = state.issuer, .issuer = state.issuer }, state.clock));
    auto const subject = identity::SpiffeId::parse(jwt.subject());
    if (subject.is_error() || subject->trust_domain() != state.trust_domain)
        return unauthenticated("the token's subject is no SPIFFE ID of this trust domain");
    return jwt;
}

} // namespace writ::authority
