// SPDX-License-Identifier: Apache-2.0
//
// A trust domain's bundle: its X.509 roots and the keys of its JWT-SVIDs, as a JWK Set (SPIFFE Trust Domain and Bundle §4).
#pragma once

#include "base/json.h"
#include "crypto/key.h"

#include <optional>
#include <string>
#include <vector>

namespace writ::identity {

struct JwtKey {
    std::string id; // `kid`
    crypto::Algorithm algorithm;
    crypto::PublicKey key;
    Bytes certificate {}; // DER, of a key that has one
};

struct Bundle {
    std::vector<Bytes> x509_roots; // DER
    std::vector<JwtKey> jwt_keys;
    std::optional<std::int64_t> sequence;
    std::optional<std::int64_t> refresh_hint; // seconds

    [[nodiscard]] JwtKey const* find_jwt_key(std::string_view id) const;
};

// The whole bundle; `use` tells the kinds apart.
JsonObject to_json(Bundle const&);
// The JWT keys alone: OIDC's jwks_uri (`use` is `sig`), or the Workload API's JWT bundle (`use` is `jwt-svid`).
JsonObject to_jwk_set(std::vector<JwtKey> const&, std::string_view use);

// invalid_argument: no `keys`, a JWT key without `kid`, an X.509 key that is not exactly one certificate that may sign others. Keys of
// other uses are skipped.
Result<Bundle> parse_bundle(std::string_view json);

} // namespace writ::identity
