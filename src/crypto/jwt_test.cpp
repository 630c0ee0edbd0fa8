// SPDX-License-Identifier: Apache-2.0
#include "crypto/jwt.h"

#include <gtest/gtest.h>

namespace writ::crypto {
namespace {

constexpr std::array es256 = { Algorithm::es256 };
constexpr std::int64_t now = 1'800'000'000;

PrivateKey const& signer()
{
    static auto const key = PrivateKey::generate(KeyType::p256).value();
    return key;
}

JsonObject good_claims()
{
    return { { "iss", "https://writ.example.org" }, { "sub", "spiffe://example.org/trainer" }, { "aud", JsonArray { "storage", "audit" } },
        { "iat", now - 10 }, { "nbf", now - 10 }, { "exp", now + 300 }, { "jti", "j1" } };
}

JwtExpectation expectation() { return { .accepted = es256, .audience = "storage", .issuer = "https://writ.example.org" }; }

Result<Jwt> verified(JsonObject const& claims, JwtExpectation const& expected = expectation(), std::int64_t seconds = now)
{
    ManualClock const clock(from_unix_seconds(seconds));
    auto const text = TRY(sign_jwt(claims, "k1", "JWT", signer(), Algorithm::es256));
    return TRY(UnverifiedJwt::parse(text)).verify(signer().public_key(), expected, clock);
}

Result<Jwt> with(std::string_view name, JsonValue value)
{
    auto claims = good_claims();
    claims[name] = std::move(value);
    return verified(claims);
}

TEST(Jwt, tells_after_verifying_who_it_is_about)
{
    auto const jwt = verified(good_claims()).value();
    EXPECT_EQ(jwt.subject(), "spiffe://example.org/trainer");
    EXPECT_EQ(jwt.issuer(), "https://writ.example.org");
    EXPECT_EQ(jwt.audience(), (std::vector<std::string> { "storage", "audit" }));
    EXPECT_EQ(jwt.expires(), from_unix_seconds(now + 300));
    EXPECT_EQ(jwt.id(), "j1");
    EXPECT_EQ(to_text(JsonValue(jwt.header())), R"({"alg":"ES256","kid":"k1","typ":"JWT"})");
}

TEST(Jwt, holds_from_its_first_microsecond_to_before_its_last)
{
    EXPECT_TRUE(verified(good_claims(), expectation(), now - 10));
    EXPECT_EQ(verified(good_claims(), expectation(), now - 11).error().message, "token is not valid yet");
    EXPECT_TRUE(verified(good_claims(), expectation(), now + 299));
    EXPECT_EQ(verified(good_claims(), expectation(), now + 300).error().message, "token has expired");
}

TEST(Jwt, is_given_the_leeway_and_no_second_more)
{
    auto lenient = expectation();
    lenient.leeway = std::chrono::seconds(60);
    EXPECT_TRUE(verified(good_claims(), lenient, now + 359));
    EXPECT_FALSE(verified(good_claims(), lenient, now + 360));
    EXPECT_TRUE(verified(good_claims(), lenient, now - 70));
    EXPECT_FALSE(verified(good_claims(), lenient, now - 71));
}

TEST(Jwt, without_expiry_is_refused_unless_that_was_asked_for)
{
    auto claims = good_claims();
    claims.erase("exp");
    EXPECT_EQ(verified(claims).error().code, ErrorCode::unauthenticated);
    auto expected = expectation();
    expected.require_expiry = false;
    EXPECT_FALSE(verified(claims, expected).value().expires().has_value());
}

TEST(Jwt, of_others_or_for_others_is_refused)
{
    EXPECT_TRUE(with("aud", "storage"));
    for (std::string_view const audience : { "", "storag", "storage2", "Storage", "storage/" })
        EXPECT_FALSE(with("aud", JsonValue(audience))) << audience;
    EXPECT_FALSE(with("aud", JsonArray {}));
    for (std::string_view const issuer : { "", "https://writ.example.org/", "https://writ.example.or", "HTTPS://writ.example.org" })
        EXPECT_FALSE(with("iss", JsonValue(issuer))) << issuer;
    for (auto const* name : { "aud", "iss" }) {
        auto claims = good_claims();
        claims.erase(name);
        EXPECT_FALSE(verified(claims)) << name;
    }
    auto nobody = expectation();
    nobody.issuer = "";
    auto claims = good_claims();
    claims.erase("iss");
    EXPECT_FALSE(verified(claims, nobody)) << "an absent issuer is not an empty one";
}

TEST(Jwt, with_claims_of_other_types_is_refused)
{
    std::vector<std::pair<std::string_view, JsonValue>> const wrong = { { "sub", 7 }, { "sub", "" }, { "iss", JsonArray {} }, { "jti", 1 },
        { "exp", "2030-01-01" }, { "exp", nullptr }, { "exp", 1e308 }, { "exp", -1 }, { "exp", INT64_MAX }, { "exp", UINT64_MAX },
        { "nbf", "0" }, { "iat", true }, { "aud", 1 }, { "aud", JsonArray { "storage", 1 } }, { "aud", JsonObject { { "storage", 1 } } } };
    for (auto const& [name, value] : wrong)
        EXPECT_FALSE(with(name, value)) << name << " " << to_text(value);
    EXPECT_TRUE(with("exp", static_cast<double>(now) + 0.5));
}

TEST(Jwt, rejects_every_single_bit_flip_of_a_valid_token)
{
    ManualClock const clock(from_unix_seconds(now));
    auto const valid = sign_jwt(good_claims(), "k1", "JWT", signer(), Algorithm::es256).value();
    for (std::size_t bit = 0; bit < valid.size() * 8; ++bit) {
        auto altered = valid;
        altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
        auto const jwt = UnverifiedJwt::parse(altered);
        EXPECT_FALSE(jwt.is_ok() && jwt->verify(signer().public_key(), expectation(), clock).is_ok()) << "bit " << bit;
    }
}

TEST(Jwt, of_another_key_is_refused_and_still_tells_its_key)
{
    ManualClock const clock(from_unix_seconds(now));
    auto const other = PrivateKey::generate(KeyType::p256).value();
    auto const jwt = UnverifiedJwt::parse(sign_jwt(good_claims(), "k1", "JWT", other, Algorithm::es256).value()).value();
    EXPECT_EQ(jwt.key_id_without_verifying(), "k1");
    EXPECT_EQ(jwt.subject_without_verifying(), "spiffe://example.org/trainer");
    EXPECT_EQ(jwt.verify(signer().public_key(), expectation(), clock).error().code, ErrorCode::unauthenticated);
}

} // namespace
} // namespace writ::crypto
