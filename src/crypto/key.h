// SPDX-License-Identifier: Apache-2.0
//
// Public and private keys of the algorithms Writ signs with and accepts. A key knows its one algorithm family; who verifies says which
// algorithms it accepts, never the message (RFC 8725 §3.1).
#pragma once

#include "base/bytes.h"
#include "base/json.h"
#include "base/secret.h"

#include <memory>
#include <string>
#include <string_view>

namespace writ::crypto {

// Signature algorithms under their JOSE names (RFC 7518 §3, RFC 8037).
enum class Algorithm : std::uint8_t { es256, es384, es512, eddsa, rs256, rs384, rs512, ps256, ps384, ps512 };
std::string_view to_string(Algorithm);
Result<Algorithm> parse_algorithm(std::string_view jose_name); // `none` and HMACs are not known

enum class KeyType : std::uint8_t { p256, p384, p521, ed25519, rsa };
bool is_usable(KeyType, Algorithm);

// Immutable; copies share it. Thread-safe.
class PublicKey {
public:
    // SubjectPublicKeyInfo. RSA keys have 2048 to 8192 bits and an odd exponent ≥ 65537, otherwise invalid_argument; points are checked to be on their curve.
    static Result<PublicKey> parse_spki(BytesView der);
    // The type of the key that parse_spki() would make, or its error. Of P-256 keys none is made, which takes 2 µs and not 17.
    static Result<KeyType> check_spki(BytesView der);
    // RFC 7517; `use`, `alg` and `key_ops` are the caller's business. Private members are ignored.
    static Result<PublicKey> parse_jwk(JsonObject const&);
    static Result<PublicKey> parse_pem(std::string_view);

    [[nodiscard]] KeyType type() const;
    [[nodiscard]] Bytes to_spki() const;
    [[nodiscard]] JsonObject to_jwk() const; // required members only, in lexical order
    [[nodiscard]] std::string thumbprint() const; // RFC 7638, SHA-256, base64url

    struct State;
    explicit PublicKey(std::shared_ptr<State const> state) : state_(std::move(state)) { }
    [[nodiscard]] State const& state() const { return *state_; }

private:
    std::shared_ptr<State const> state_;
};

// Immutable; copies share it. Thread-safe, signing too.
class PrivateKey {
public:
    static Result<PrivateKey> generate(KeyType); // RSA: 2048 bits
    static Result<PrivateKey> parse_pkcs8(BytesView der);
    static Result<PrivateKey> parse_jwk(JsonObject const&);

    [[nodiscard]] KeyType type() const;
    [[nodiscard]] PublicKey public_key() const;
    [[nodiscard]] SecretBytes to_pkcs8() const;

    struct State;
    explicit PrivateKey(std::shared_ptr<State const> state) : state_(std::move(state)) { }
    [[nodiscard]] State const& state() const { return *state_; }

private:
    std::shared_ptr<State const> state_;
};

} // namespace writ::crypto
