// SPDX-License-Identifier: Apache-2.0
#include "crypto/key_state.h"

#include <array>
#include <cctype>

namespace writ::crypto {

namespace {

struct NamedAlgorithm {
    Algorithm algorithm;
    std::string_view name;
    KeyType type;
};

constexpr std::array<NamedAlgorithm, 10> algorithms = { {
    { Algorithm::es256, "ES256", KeyType::p256 },
    { Algorithm::es384, "ES384", KeyType::p384 },
    { Algorithm::es512, "ES512", KeyType::p521 },
    { Algorithm::eddsa, "EdDSA", KeyType::ed25519 },
    { Algorithm::rs256, "RS256", KeyType::rsa },
    { Algorithm::rs384, "RS384", KeyType::rsa },
    { Algorithm::rs512, "RS512", KeyType::rsa },
    { Algorithm::ps256, "PS256", KeyType::rsa },
    { Algorithm::ps384, "PS384", KeyType::rsa },
    { Algorithm::ps512, "PS512", KeyType::rsa },
} };

NamedAlgorithm const& row(Algorithm algorithm)
{
    auto const& found = algorithms.at(static_cast<std::size_t>(algorithm));
    ASSERT(found.algorithm == algorithm);
    return found;
}

} // namespace

std::string_view to_string(Algorithm algorithm) { return row(algorithm).name; }

Result<Algorithm> parse_algorithm(std::string_view jose_name)
{
    for (auto const& known : algorithms)
        if (known.name == jose_name)
            return known.algorithm;
    return invalid_argument("signature algorithm is none of those Writ has");
}

bool is_usable(KeyType type, Algorithm algorithm) { return row(algorithm).type == type; }

Algorithm only_algorithm(KeyType type)
{
    ASSERT(type != KeyType::rsa);
    for (auto const& known : algorithms)
        if (known.type == type)
            return known.algorithm;
    ASSERT(false);
}

bool is_pss(Algorithm algorithm) { return algorithm == Algorithm::ps256 || algorithm == Algorithm::ps384 || algorithm == Algorithm::ps512; }

EVP_MD const* digest_of(Algorithm algorithm)
{
    switch (algorithm) {
    case Algorithm::es256:
    case Algorithm::rs256:
    case Algorithm::ps256: return fetched_sha256();
    case Algorithm::es384:
    case Algorithm::rs384:
    case Algorithm::ps384: return fetched_sha384();
    case Algorithm::es512:
    case Algorithm::rs512:
    case Algorithm::ps512: return fetched_sha512();
    case Algorithm::eddsa: return nullptr;
    }
    ASSERT(false);
}

std::size_t coordinate_size(KeyType type)
{
    switch (type) {
    case KeyType::p256: return 32;
    case KeyType::p384: return 48;
    case KeyType::p521: return 66;
    case KeyType::ed25519:
    case KeyType::rsa: break;
    }
    ASSERT(false);
}

std::string last_openssl_error()
{
    auto const code = ERR_peek_last_error();
    auto const* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
    std::string text = reason == nullptr ? "no reason given" : reason;
    for (auto& character : text)
        character = static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    ERR_clear_error();
    return text;
}

} // namespace writ::crypto
