// SPDX-License-Identifier: Apache-2.0
#include "issue/jwt_svid/jwt_svid.h"

namespace writ::issue {

Result<JwtSvid> JwtSvidIssuer::issue(JwtSvidRequest const& request, Timestamp now, RandomSource& random) const
{
    if (request.audience.empty())
        return invalid_argument("a JWT-SVID needs an audience");
    JwtSvid svid;
    svid.expires = std::chrono::floor<std::chrono::seconds>(now + request.lifetime);
    svid.id = random.base32(26);
    JsonArray audience;
    for (auto const& name : request.audience)
        audience.emplace_back(name);
    JsonObject claims { { "iss", issuer_ }, { "sub", request.subject.text() }, { "aud", std::move(audience) }, { "exp", to_unix_seconds(svid.expires) },
        { "iat", to_unix_seconds(now) }, { "jti", svid.id } };
    for (auto const& claim : request.further_claims) {
        if (!claims.emplace(claim.key(), claim.value()).second)
            return invalid_argument("claim `" + std::string(claim.key()) + "` is not the caller's to set");
    }
    svid.token = SecretText(TRY(crypto::sign_jwt(claims, key_id_, "JWT", key_, algorithm_)));
    return svid;
}

Result<SecretText> JwtSvidIssuer::client_assertion(std::string const& client, std::string audience, Timestamp now, RandomSource& random) const
{
    // LIMIT: it is shown at once.
    constexpr Duration lifetime = std::chrono::minutes(5);
    // SECURITY: its `iss` is the client's name, as the specification has it. Nobody may be able to read it as a token that this issuer gave to a workload.
    if (client.empty() || client == issuer_ || client.starts_with("spiffe://"))
        return invalid_argument("`" + client + "` cannot be a client's id");
    JsonObject const claims { { "iss", client }, { "sub", client }, { "aud", std::move(audience) }, { "exp", to_unix_seconds(now + lifetime) },
        { "iat", to_unix_seconds(now) }, { "jti", random.base32(26) } };
    return SecretText(TRY(crypto::sign_jwt(claims, key_id_, "JWT", key_, algorithm_)));
}

} // namespace writ::issue
