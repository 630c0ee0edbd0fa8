// SPDX-License-Identifier: Apache-2.0
#include "crypto/key.h"
#include "crypto/signature.h"

#include <gtest/gtest.h>
#include <thread>

namespace writ::crypto {
namespace {

struct Case {
    KeyType type;
    std::vector<Algorithm> algorithms;
};

std::vector<Case> const& cases()
{
    static std::vector<Case> const all = {
        { KeyType::p256, { Algorithm::es256 } },
        { KeyType::p384, { Algorithm::es384 } },
        { KeyType::p521, { Algorithm::es512 } },
        { KeyType::ed25519, { Algorithm::eddsa } },
        { KeyType::rsa, { Algorithm::rs256, Algorithm::rs384, Algorithm::rs512, Algorithm::ps256, Algorithm::ps384, Algorithm::ps512 } },
    };
    return all;
}

std::vector<Algorithm> all_algorithms()
{
    std::vector<Algorithm> all;
    for (auto const& [type, algorithms] : cases())
        all.insert(all.end(), algorithms.begin(), algorithms.end());
    return all;
}

TEST(Key, survives_every_form_it_is_written_in)
{
    for (auto const& [type, algorithms] : cases()) {
        auto const key = PrivateKey::generate(type).value();
        auto const again = PrivateKey::parse_pkcs8(key.to_pkcs8().reveal()).value();
        auto const spki = key.public_key().to_spki();
        EXPECT_EQ(again.type(), type);
        EXPECT_EQ(again.public_key().to_spki(), spki);
        EXPECT_EQ(PublicKey::parse_spki(spki).value().type(), type);
        EXPECT_EQ(PublicKey::parse_jwk(key.public_key().to_jwk()).value().to_spki(), spki);
        auto const pem = "-----BEGIN PUBLIC KEY-----\n" + to_base64(spki) + "\n-----END PUBLIC KEY-----\n";
        EXPECT_EQ(PublicKey::parse_pem(pem).value().thumbprint(), key.public_key().thumbprint());
    }
}

TEST(Signature, verifies_and_fails_after_any_change)
{
    auto const message = as_bytes("issued: spiffe://example.org/trainer");
    for (auto const& [type, algorithms] : cases()) {
        auto const key = PrivateKey::generate(type).value();
        auto const other = PrivateKey::generate(type).value().public_key();
        for (auto const algorithm : algorithms) {
            auto const signature = sign(key, algorithm, message).value();
            EXPECT_TRUE(verify(key.public_key(), algorithm, message, signature)) << to_string(algorithm);
            EXPECT_FALSE(verify(other, algorithm, message, signature)) << to_string(algorithm);
            EXPECT_FALSE(verify(key.public_key(), algorithm, message.first(message.size() - 1), signature));
            EXPECT_FALSE(verify(key.public_key(), algorithm, message, {}));
            for (std::size_t byte = 0; byte < signature.size(); ++byte) {
                auto altered = signature;
                altered[byte] ^= 0x10;
                EXPECT_EQ(verify(key.public_key(), algorithm, message, altered).error().code, ErrorCode::unauthenticated) << byte;
            }
        }
    }
}

TEST(Signature, of_nothing_at_all_verifies)
{
    for (auto const& [type, algorithms] : cases()) {
        auto const key = PrivateKey::generate(type).value();
        auto const signature = sign(key, algorithms[0], {}).value();
        EXPECT_TRUE(verify(key.public_key(), algorithms[0], {}, signature)) << to_string(algorithms[0]);
    }
}

TEST(Signature, is_refused_for_every_algorithm_but_its_own)
{
    for (auto const& [type, algorithms] : cases()) {
        auto const key = PrivateKey::generate(type).value();
        for (auto const signing : algorithms)
            for (auto const verifying : all_algorithms()) {
                auto const accepted = verify(key.public_key(), verifying, as_bytes("m"), sign(key, signing, as_bytes("m")).value()).is_ok();
                EXPECT_EQ(accepted, signing == verifying) << to_string(signing) << " as " << to_string(verifying);
            }
    }
    auto const key = PrivateKey::generate(KeyType::p256).value();
    EXPECT_EQ(sign(key, Algorithm::rs256, as_bytes("m")).error().code, ErrorCode::invalid_argument);
}

TEST(Signature, has_the_form_that_was_asked_for)
{
    auto const key = PrivateKey::generate(KeyType::p521).value();
    auto const raw = sign(key, Algorithm::es512, as_bytes("m")).value();
    auto const der = sign(key, Algorithm::es512, as_bytes("m"), EcdsaForm::der).value();
    EXPECT_EQ(raw.size(), 132U);
    EXPECT_EQ(der[0], 0x30);
    EXPECT_TRUE(verify(key.public_key(), Algorithm::es512, as_bytes("m"), der, EcdsaForm::der));
    EXPECT_FALSE(verify(key.public_key(), Algorithm::es512, as_bytes("m"), der, EcdsaForm::raw));
    EXPECT_FALSE(verify(key.public_key(), Algorithm::es512, as_bytes("m"), raw, EcdsaForm::der));
}

// SECURITY: CVE-2022-21449, a signature of zeros that fits any message.
TEST(Signature, of_zeros_is_refused)
{
    auto const key = PrivateKey::generate(KeyType::p256).value().public_key();
    EXPECT_FALSE(verify(key, Algorithm::es256, as_bytes("m"), Bytes(64, 0)));
}

TEST(Signature, is_made_and_verified_by_many_threads_with_one_key)
{
    for (auto const& [type, algorithms] : cases()) {
        auto const key = PrivateKey::generate(type).value();
        auto const public_key = key.public_key();
        std::atomic<int> verified = 0;
        std::vector<std::thread> threads;
        for (int thread = 0; thread < 4; ++thread)
            threads.emplace_back([&, thread, algorithm = algorithms[0]] {
                for (int round = 0; round < 10; ++round) {
                    auto const message = std::to_string(thread) + "/" + std::to_string(round);
                    auto const signature = sign(key, algorithm, as_bytes(message)).value();
                    verified += verify(public_key, algorithm, as_bytes(message), signature).is_ok() ? 1 : 0;
                }
            });
        for (auto& thread : threads)
            thread.join();
        EXPECT_EQ(verified, 40) << to_string(algorithms[0]);
    }
}

// RFC 7638 §3.1, and RFC 8037 A.3.
TEST(Thumbprint, matches_the_examples_of_the_rfcs)
{
    auto const rsa = parse_json_object(
        R"({"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRX)"
        R"(jBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgd)"
        R"(AZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8aw)"
        R"(apJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"})");
    EXPECT_EQ(PublicKey::parse_jwk(rsa.value()).value().thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    auto const ed = parse_json_object(R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})");
    EXPECT_EQ(PublicKey::parse_jwk(ed.value()).value().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

std::string with_change(JsonObject jwk, std::string_view member, std::string_view value)
{
    jwk[member] = value;
    auto const parsed = PublicKey::parse_jwk(jwk);
    return parsed.is_ok() ? "accepted" : std::string(to_string(parsed.error().code));
}

TEST(Jwk, is_refused_off_its_curve_of_other_lengths_and_of_other_types)
{
    auto const jwk = PrivateKey::generate(KeyType::p256).value().public_key().to_jwk();
    auto const x = std::string(jwk.at("x").as_string());
    auto const short_x = to_base64url(BytesView(parse_base64url(x).value()).first(31));
    EXPECT_EQ(with_change(jwk, "crv", "P-256"), "accepted");
    EXPECT_EQ(with_change(jwk, "y", x), "invalid_argument");
    EXPECT_EQ(with_change(jwk, "x", short_x), "invalid_argument");
    EXPECT_EQ(with_change(jwk, "x", x + "="), "invalid_argument");
    EXPECT_EQ(with_change(jwk, "crv", "P-384"), "invalid_argument");
    EXPECT_EQ(with_change(jwk, "crv", "secp256k1"), "invalid_argument");
    EXPECT_EQ(with_change(jwk, "kty", "oct"), "invalid_argument");
}

TEST(Jwk, of_rsa_obeys_the_limits)
{
    auto const jwk = PrivateKey::generate(KeyType::rsa).value().public_key().to_jwk();
    auto const n = parse_base64url(std::string_view(jwk.at("n").as_string())).value();
    Bytes with_zero = { 0 };
    with_zero.insert(with_zero.end(), n.begin(), n.end());
    Bytes huge(1025, 0xff);
    EXPECT_EQ(with_change(jwk, "e", "AQAB"), "accepted");
    EXPECT_EQ(with_change(jwk, "e", "Aw"), "invalid_argument") << "exponent 3";
    EXPECT_EQ(with_change(jwk, "e", "AQAA"), "invalid_argument") << "exponent 65536";
    EXPECT_EQ(with_change(jwk, "n", to_base64url(BytesView(n).first(255))), "invalid_argument") << "2040 bits";
    EXPECT_EQ(with_change(jwk, "n", to_base64url(with_zero)), "invalid_argument") << "leading zero";
    EXPECT_EQ(with_change(jwk, "n", to_base64url(huge)), "invalid_argument") << "8200 bits";
    EXPECT_EQ(with_change(jwk, "n", ""), "invalid_argument");
}

TEST(Spki, is_refused_with_a_byte_less_or_a_byte_more)
{
    for (auto const& [type, algorithms] : cases()) {
        auto spki = PrivateKey::generate(type).value().public_key().to_spki();
        EXPECT_TRUE(PublicKey::parse_spki(BytesView(spki).first(spki.size() - 1)).is_error());
        spki.push_back(0);
        EXPECT_TRUE(PublicKey::parse_spki(spki).is_error());
    }
    EXPECT_TRUE(PublicKey::parse_spki({}).is_error());
}

TEST(PrivateJwk, with_the_public_half_of_another_key_is_refused)
{
    // RFC 8037 A.1, and the private P-256 key of RFC 7517 A.2.
    auto jwk = parse_json_object(R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",)"
                                 R"("x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})")
                   .value();
    EXPECT_EQ(PrivateKey::parse_jwk(jwk).value().type(), KeyType::ed25519);
    jwk["x"] = PrivateKey::generate(KeyType::ed25519).value().public_key().to_jwk().at("x");
    EXPECT_EQ(PrivateKey::parse_jwk(jwk).error().code, ErrorCode::invalid_argument);

    auto ec = parse_json_object(R"({"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
                                R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE"})")
                  .value();
    EXPECT_EQ(PrivateKey::parse_jwk(ec).value().type(), KeyType::p256);
    auto const other = PrivateKey::generate(KeyType::p256).value().public_key().to_jwk();
    ec["x"] = other.at("x");
    ec["y"] = other.at("y");
    EXPECT_EQ(PrivateKey::parse_jwk(ec).error().code, ErrorCode::invalid_argument);
}

TEST(Pkcs8, of_rsa_with_another_modulus_is_refused)
{
    auto const key = PrivateKey::generate(KeyType::rsa).value();
    auto const pkcs8 = key.to_pkcs8();
    EXPECT_EQ(PrivateKey::parse_pkcs8(pkcs8.reveal()).value().public_key().to_spki(), key.public_key().to_spki());
    auto const modulus = parse_base64url(string_or(key.public_key().to_jwk(), "n", "")).value();
    auto const found = std::ranges::search(pkcs8.reveal(), modulus);
    ASSERT_FALSE(found.empty());
    for (std::size_t byte = 1; byte < modulus.size(); byte += 17) {
        auto altered = pkcs8.reveal();
        altered[static_cast<std::size_t>(found.begin() - pkcs8.reveal().begin()) + byte] ^= 2U;
        EXPECT_EQ(PrivateKey::parse_pkcs8(altered).error().code, ErrorCode::invalid_argument) << "byte " << byte;
    }
}

TEST(Spki, is_checked_as_it_is_parsed_whatever_bit_is_flipped)
{
    for (auto const type : { KeyType::p256, KeyType::p384, KeyType::ed25519 }) {
        auto const spki = PrivateKey::generate(type).value().public_key().to_spki();
        ASSERT_EQ(PublicKey::check_spki(spki).value(), type);
        for (std::size_t bit = 0; bit < spki.size() * 8; ++bit) {
            auto flipped = spki;
            flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
            EXPECT_EQ(PublicKey::check_spki(flipped).is_ok(), PublicKey::parse_spki(flipped).is_ok()) << "bit " << bit;
        }
        for (std::size_t size = 0; size < spki.size(); ++size)
            EXPECT_TRUE(PublicKey::check_spki(BytesView(spki).first(size)).is_error()) << size << " bytes";
    }
}

TEST(Pkcs8, that_is_altered_or_cut_never_becomes_the_same_key)
{
    auto const key = PrivateKey::generate(KeyType::p256).value();
    auto const pkcs8 = key.to_pkcs8();
    for (std::size_t size = 0; size < pkcs8.reveal().size(); ++size)
        EXPECT_TRUE(PrivateKey::parse_pkcs8(BytesView(pkcs8.reveal()).first(size)).is_error()) << size << " bytes";
}

} // namespace
} // namespace writ::crypto
