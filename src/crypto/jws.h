// SPDX-License-Identifier: Apache-2.0
//
// JSON Web Signature (RFC 7515) in compact, flattened and general JSON form. Parsing yields an UnverifiedJws; only verify() yields a payload
// to be trusted. Thread-safe.
#pragma once

#include "crypto/key.h"
#include "crypto/signature.h"

#include <optional>
#include <vector>

namespace writ::crypto {

// LIMIT: a token in a header; JWT-SVIDs have some 600 bytes.
inline constexpr std::size_t compact_jws_bytes_max = 16U << 10U;

struct UnverifiedJws {
    JsonObject header; // the protected header; in compact form it has a string `alg`
    JsonObject unprotected; // JSON forms only; SECURITY: anybody may have written it
    std::string signing_input;
    Bytes payload;
    Bytes signature;
    [[nodiscard]] std::string_view key_id() const; // `kid`, or empty
};

// Strict: three base64url parts without padding, the header a JSON object without duplicate names. A header with `crit` (RFC 7515 §4.1.11) is refused,
// but `b64` (RFC 7797) is refused too: nothing Writ reads has it.
Result<UnverifiedJws> parse_compact_jws(std::string_view);
// Flattened or general JSON serialisation: one entry a signature. Names in protected and unprotected header are disjoint, one of them has `alg`.
Result<std::vector<UnverifiedJws>> parse_json_jws(std::string_view);

// unauthenticated, whatever the reason. SECURITY: the header's `alg` must be one of `accepted` and fit the key's type; `none` never does.
Result<> verify_jws(UnverifiedJws const&, PublicKey const&, std::span<Algorithm const> accepted);

// `header` gets `alg` first; its other members stay in their order.
Result<std::string> sign_compact_jws(JsonObject const& header, std::string_view payload, PrivateKey const&, Algorithm);

// One of many keys: a JWK Set (RFC 7517 §5). Keys of unknown type or for another use than signatures are skipped.
struct JwkSetKey {
    std::string id;
    std::optional<Algorithm> algorithm; // `alg`, if the key says so
    std::string use;                    // `use`, e.g. `sig`, `x509-svid`, `jwt-svid`; empty if absent
    PublicKey key;
    std::vector<Bytes> x5c; // DER, leaf first
};
// LIMIT: keys_max keys are read; more is invalid_argument.
Result<std::vector<JwkSetKey>> parse_jwk_set(std::string_view, std::size_t keys_max = 100);

} // namespace writ::crypto
