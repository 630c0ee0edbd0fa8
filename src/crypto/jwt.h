// SPDX-License-Identifier: Apache-2.0
//
// JSON Web Tokens (RFC 7519) with the practice of RFC 8725. UnverifiedJwt → verify_jwt() → Jwt; what needs a verified token takes a Jwt. Thread-safe.
#pragma once

#include "base/clock.h"
#include "crypto/jws.h"

namespace writ::crypto {

struct JwtExpectation {
    std::span<Algorithm const> accepted;
    std::string_view audience;            // must be among `aud`; empty: not looked at
    std::optional<std::string_view> issuer; // must equal `iss`
    Duration leeway = std::chrono::seconds(0); // for `exp`, `nbf` and `iat`
    bool require_expiry = true;
};

class Jwt {
public:
    [[nodiscard]] std::string_view subject() const { return subject_; }
    [[nodiscard]] std::string_view issuer() const { return issuer_; }
    [[nodiscard]] std::vector<std::string> const& audience() const { return audience_; }
    [[nodiscard]] std::optional<Timestamp> expires() const { return expires_; }
    [[nodiscard]] std::string_view id() const { return id_; } // `jti`, or empty
    [[nodiscard]] JsonObject const& claims() const { return claims_; }
    [[nodiscard]] JsonObject const& header() const { return header_; }

private:
    friend class UnverifiedJwt;
    JsonObject header_, claims_;
    std::string subject_, issuer_, id_;
    std::vector<std::string> audience_;
    std::optional<Timestamp> expires_;
};

class UnverifiedJwt {
public:
    // The claims must be a JSON object; registered claims, where present, of their registered type.
    static Result<UnverifiedJwt> parse(std::string_view compact);

    // SECURITY: to find the key by, nothing else.
    [[nodiscard]] std::string_view key_id_without_verifying() const { return jws_.key_id(); }
    [[nodiscard]] std::string_view subject_without_verifying() const;

    // unauthenticated, naming what does not hold (never the token).
    [[nodiscard]] Result<Jwt> verify(PublicKey const&, JwtExpectation const&, Clock const&) const;

private:
    UnverifiedJws jws_;
    JsonObject claims_;
};

// Signs claims as they are. Header: alg, kid, typ.
Result<std::string> sign_jwt(JsonObject const& claims, std::string_view key_id, std::string_view type, PrivateKey const&, Algorithm);

} // namespace writ::crypto
