// SPDX-License-Identifier: Apache-2.0
#include "crypto/jws.h"

#include "crypto/digest.h"

#include <gtest/gtest.h>

namespace writ::crypto {
namespace {

constexpr std::array es256 = { Algorithm::es256 };
constexpr std::array everything
    = { Algorithm::es256, Algorithm::es384, Algorithm::es512, Algorithm::eddsa, Algorithm::rs256, Algorithm::ps256 };

PrivateKey const& signer()
{
    static auto const key = PrivateKey::generate(KeyType::p256).value();
    return key;
}

std::string token() { return sign_compact_jws({ { "kid", "k1" } }, R"({"sub":"a"})", signer(), Algorithm::es256).value(); }

std::string encode(std::string_view text) { return to_base64url(as_bytes(text)); }

// A token over any header text, properly signed.
std::string signed_over(std::string_view header, std::string_view payload = "x")
{
    auto const input = encode(header) + "." + encode(payload);
    return input + "." + to_base64url(sign(signer(), Algorithm::es256, as_bytes(input)).value());
}

bool is_accepted(std::string_view text, std::span<Algorithm const> accepted = everything)
{
    auto const jws = parse_compact_jws(text);
    return jws.is_ok() && verify_jws(*jws, signer().public_key(), accepted).is_ok();
}

TEST(Jws, verifies_what_it_signed)
{
    auto const jws = parse_compact_jws(token()).value();
    EXPECT_TRUE(verify_jws(jws, signer().public_key(), es256));
    EXPECT_EQ(as_text(jws.payload), R"({"sub":"a"})");
    EXPECT_EQ(jws.key_id(), "k1");
    EXPECT_EQ(to_text(JsonValue(jws.header)), R"({"alg":"ES256","kid":"k1"})");
    EXPECT_TRUE(is_accepted(signed_over(R"({"alg":"ES256"})")));
}

TEST(Jws, rejects_every_single_bit_flip_of_a_valid_token)
{
    auto const valid = token();
    for (std::size_t bit = 0; bit < valid.size() * 8; ++bit) {
        auto altered = valid;
        altered[bit / 8] = static_cast<char>(altered[bit / 8] ^ (1 << (bit % 8)));
        EXPECT_FALSE(is_accepted(altered)) << "bit " << bit;
    }
}

TEST(Jws, rejects_every_truncation_and_every_repetition)
{
    auto const valid = token();
    for (std::size_t size = 0; size < valid.size(); ++size)
        EXPECT_FALSE(is_accepted(valid.substr(0, size))) << size << " bytes";
    for (std::string const& altered :
        { valid + ".", valid + "=", valid + " ", " " + valid, "." + valid, valid + "." + valid, valid + "\n" })
        EXPECT_FALSE(is_accepted(altered)) << altered;
}

TEST(Jws, rejects_a_header_with_no_known_or_no_fitting_algorithm)
{
    for (std::string_view const header : { R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"nOnE"})", R"({"alg":""})", R"({})",
             R"({"alg":null})", R"({"alg":["ES256"]})", R"({"alg":"ES384"})", R"({"alg":"RS256"})", R"({"alg":"PS256"})",
             R"({"alg":"EdDSA"})", R"({"alg":"es256"})", R"({"alg":"ES256K"})", R"({"alg":"HS256"})", R"({"alg":"ES256","alg":"ES256"})",
             R"({"alg":"ES256","crit":["exp"],"exp":1})", R"({"alg":"ES256","crit":[]})", R"({"alg":"ES256","b64":true})",
             R"({"alg":"ES256","b64":false,"crit":["b64"]})", R"({"alg":"ES256","kid":7})", R"(["ES256"])", R"({"alg":"ES256"} {})" }) {
        EXPECT_FALSE(is_accepted(signed_over(header))) << header;
        EXPECT_FALSE(is_accepted(encode(header) + "." + encode("x") + ".")) << header << " without a signature";
    }
}

TEST(Jws, rejects_a_mac_made_with_the_public_key)
{
    auto const input = encode(R"({"alg":"HS256"})") + "." + encode("x");
    auto const spki = signer().public_key().to_spki();
    auto const pem = "-----BEGIN PUBLIC KEY-----\n" + to_base64(spki) + "\n-----END PUBLIC KEY-----\n";
    for (BytesView const secret : { BytesView(spki), as_bytes(pem), BytesView() })
        EXPECT_FALSE(is_accepted(input + "." + to_base64url(hmac_sha256(secret, as_bytes(input)))));
}

TEST(Jws, rejects_an_algorithm_that_the_verifier_did_not_name)
{
    constexpr std::array eddsa_only = { Algorithm::eddsa };
    EXPECT_TRUE(is_accepted(token(), es256));
    EXPECT_FALSE(is_accepted(token(), eddsa_only));
    EXPECT_FALSE(is_accepted(token(), {}));
}

TEST(Jws, rejects_a_token_over_the_limit_and_does_not_make_one)
{
    std::string const large(compact_jws_bytes_max, 'x');
    EXPECT_FALSE(is_accepted(signed_over(R"({"alg":"ES256"})", large)));
    EXPECT_TRUE(sign_compact_jws({}, large, signer(), Algorithm::es256).is_error());
}

std::string flattened()
{
    auto const compact = token();
    auto const first = compact.find('.'), second = compact.rfind('.');
    return R"({"payload":")" + compact.substr(first + 1, second - first - 1) + R"(","protected":")" + compact.substr(0, first)
        + R"(","header":{"note":"n"},"signature":")" + compact.substr(second + 1) + R"("})";
}

TEST(JsonJws, reads_the_flattened_and_the_general_form)
{
    auto const one = parse_json_jws(flattened()).value();
    ASSERT_EQ(one.size(), 1U);
    EXPECT_TRUE(verify_jws(one[0], signer().public_key(), es256));
    EXPECT_EQ(one[0].unprotected.at("note"), "n");

    auto object = parse_json_object(flattened()).value();
    JsonObject general { { "payload", object["payload"] } };
    object.erase("payload");
    general["signatures"] = JsonArray { JsonValue(object), JsonValue(object) };
    auto const two = parse_json_jws(to_text(JsonValue(general))).value();
    ASSERT_EQ(two.size(), 2U);
    EXPECT_TRUE(verify_jws(two[1], signer().public_key(), es256));
}

TEST(JsonJws, refuses_what_the_protected_header_does_not_cover)
{
    auto const valid = parse_json_object(flattened()).value();
    auto const altered = [&](std::string_view member, JsonValue value) {
        auto object = valid;
        object[member] = std::move(value);
        auto const parsed = parse_json_jws(to_text(JsonValue(object)));
        return parsed.is_ok() && verify_jws(parsed->at(0), signer().public_key(), es256).is_ok();
    };
    EXPECT_TRUE(altered("other", "member"));
    EXPECT_FALSE(altered("payload", JsonValue(encode("other"))));
    EXPECT_FALSE(altered("header", JsonObject { { "kid", "k2" } })) << "in both headers";
    EXPECT_FALSE(altered("header", JsonObject { { "alg", "ES256" } })) << "in both headers";
    EXPECT_FALSE(altered("header", JsonObject { { "crit", JsonArray {} } }));
    EXPECT_FALSE(altered("header", "text"));
    EXPECT_FALSE(altered("protected", ""));
    EXPECT_FALSE(altered("protected", JsonValue(encode(R"({"kid":"k1"})")))) << "no alg";
    EXPECT_FALSE(altered("signatures", JsonArray { JsonValue(valid) })) << "flattened and general at once";
}

TEST(JsonJws, without_a_protected_header_is_as_good_as_its_key_and_the_accepted_algorithms)
{
    auto const signature = to_base64url(sign(signer(), Algorithm::es256, as_bytes("." + encode("x"))).value());
    auto const with_header = [&](std::string_view header) {
        auto const parsed = parse_json_jws(
            R"({"payload":")" + encode("x") + R"(","header":)" + std::string(header) + R"(,"signature":")" + signature + R"("})");
        return parsed.is_ok() && verify_jws(parsed->at(0), signer().public_key(), everything).is_ok();
    };
    EXPECT_TRUE(with_header(R"({"alg":"ES256"})"));
    for (std::string_view const header : { R"({})", R"({"alg":"none"})", R"({"alg":"RS256"})", R"({"alg":"ES256","crit":["x"],"x":1})",
             R"({"alg":"ES256","b64":true})", R"({"alg":"ES256","kid":1})" })
        EXPECT_FALSE(with_header(header)) << header;
}

TEST(JwkSet, keeps_signing_keys_and_skips_what_it_does_not_know)
{
    auto named = [](std::string_view id, JsonObject more) {
        auto jwk = signer().public_key().to_jwk();
        jwk["kid"] = id;
        for (auto const& member : more)
            jwk[member.key()] = member.value();
        return JsonValue(jwk);
    };
    JsonArray const keys = { named("plain", {}), named("svid", { { "use", "jwt-svid" }, { "alg", "ES256" } }),
        named("enc", { { "use", "enc" } }), named("wrap", { { "key_ops", JsonArray { "wrapKey" } } }),
        named("wrong", { { "alg", "ES384" } }), named("mac", { { "kty", "oct" } }), named("curve", { { "crv", "secp256k1" } }),
        named("chain", { { "x5c", JsonArray { "MAA=" } } }) };
    auto const text = to_text(JsonValue(JsonObject { { "keys", keys } }));
    auto const set = parse_jwk_set(text).value();
    std::vector<std::string> ids;
    for (auto const& key : set)
        ids.push_back(key.id);
    EXPECT_EQ(ids, (std::vector<std::string> { "plain", "svid", "chain" }));
    EXPECT_EQ(set[1].use, "jwt-svid");
    EXPECT_EQ(set[1].algorithm, Algorithm::es256);
    EXPECT_EQ(set[2].x5c.at(0), (Bytes { 0x30, 0x00 }));
    EXPECT_EQ(parse_jwk_set(text, 7).error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(parse_jwk_set(R"({"keys":{}})").is_error());
    EXPECT_TRUE(parse_jwk_set(R"([])").is_error());
}

} // namespace
} // namespace writ::crypto
