// SPDX-License-Identifier: Apache-2.0
//
// JWT-SVIDs (JWT-SVID §3), which are access tokens and OIDC-style assertions as well: with `iss`, any relying party that reads the issuer's discovery
// document can verify them. Thread-safe, if the random source is.
#pragma once

#include "base/clock.h"
#include "base/random.h"
#include "base/secret.h"
#include "crypto/jwt.h"
#include "identity/spiffe_id.h"

namespace writ::issue {

struct JwtSvidRequest {
    identity::SpiffeId subject;
    std::vector<std::string> audience; // at least one
    Duration lifetime;
    JsonObject further_claims {}; // `act`, `run`…; none of the registered ones
};

struct JwtSvid {
    SecretText token;
    std::string id; // `jti`
    Timestamp expires;
};

class JwtSvidIssuer {
public:
    JwtSvidIssuer(std::string issuer, std::string key_id, crypto::PrivateKey key, crypto::Algorithm algorithm)
        : issuer_(std::move(issuer))
        , key_id_(std::move(key_id))
        , key_(std::move(key))
        , algorithm_(algorithm)
    {
    }

    [[nodiscard]] Result<JwtSvid> issue(JwtSvidRequest const&, Timestamp now, RandomSource&) const;

    // SPEC: RFC 7523 §3: a JWT by which the issuer itself is `client` to a token endpoint, its audience; good for five minutes. invalid_argument: the client's name could be
    // taken for an issuer's or a workload's.
    [[nodiscard]] Result<SecretText> client_assertion(std::string const& client, std::string audience, Timestamp now, RandomSource&) const;

private:
    std::string issuer_;
    std::string key_id_;
    crypto::PrivateKey key_;
    crypto::Algorithm algorithm_;
};

} // namespace writ::issue
