// SPDX-License-Identifier: Apache-2.0
#include "issue/jwt_svid/jwt_svid.h"
#include "issue/x509_svid/x509_svid.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::issue;

namespace {

identity::SpiffeId id() { return identity::SpiffeId::parse("spiffe://acme.ai/ml/train").value(); }

class Svid : public testing::Test {
protected:
    Bytes new_root(Duration lifetime)
    {
        return crypto::create_root({ "test", "spiffe://acme.ai", now_, now_ + lifetime, random_.bytes(16) }, root_key_).value();
    }

    Timestamp const now_ = from_unix_seconds(1'800'000'000);
    SystemRandom random_;
    crypto::PrivateKey const root_key_ = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
    crypto::PrivateKey const key_ = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
};

} // namespace

TEST_F(Svid, x509_is_a_leaf_of_one_id_that_verifies_to_its_root)
{
    auto const root = new_root(std::chrono::hours(100));
    auto const issuer = X509SvidIssuer::create(root, root_key_).value();
    auto const svid = issuer.issue({ id(), key_.public_key().to_spki(), std::chrono::hours(1), {}, {} }, now_, random_).value();
    auto const leaf = crypto::parse_certificate(svid.certificate).value();
    EXPECT_EQ(leaf.uris, std::vector<std::string> { "spiffe://acme.ai/ml/train" });
    EXPECT_EQ(leaf.spki, key_.public_key().to_spki());
    EXPECT_FALSE(leaf.is_ca || leaf.may_sign_certificates || leaf.may_sign_crls);
    EXPECT_TRUE(leaf.may_sign);
    EXPECT_EQ(svid.expires, now_ + std::chrono::hours(1));
    EXPECT_EQ(to_hex(leaf.serial), svid.serial);
    std::vector<Bytes> const roots { root };
    EXPECT_TRUE(crypto::verify_path(svid.certificate, {}, roots, now_).is_ok());
    EXPECT_TRUE(crypto::verify_path(svid.certificate, {}, roots, now_ + std::chrono::hours(2)).is_error());
}

TEST_F(Svid, x509_never_lives_longer_than_its_root)
{
    auto const issuer = X509SvidIssuer::create(new_root(std::chrono::minutes(10)), root_key_).value();
    auto const svid = issuer.issue({ id(), key_.public_key().to_spki(), std::chrono::hours(24), {}, {} }, now_, random_).value();
    EXPECT_EQ(svid.expires, now_ + std::chrono::minutes(10));
    EXPECT_TRUE(issuer.issue({ id(), key_.public_key().to_spki(), std::chrono::hours(1), {}, {} }, now_ + std::chrono::minutes(10), random_).is_error());
}

TEST_F(Svid, jwt_has_what_relying_parties_look_for)
{
    JwtSvidIssuer const issuer("https://authority.acme.ai", "k1", key_, crypto::Algorithm::es256);
    auto const svid = issuer.issue({ id(), { "a", "b" }, std::chrono::minutes(5), { { "act", JsonObject { { "sub", "x" } } } } }, now_, random_).value();
    ManualClock const clock(now_);
    crypto::Algorithm const accepted[] = { crypto::Algorithm::es256 };
    auto const jwt = crypto::UnverifiedJwt::parse(svid.token.reveal()).value().verify(key_.public_key(), { .accepted = accepted, .audience = "b", .issuer = "https://authority.acme.ai" }, clock).value();
    EXPECT_EQ(jwt.subject(), id().text());
    EXPECT_EQ(jwt.id(), svid.id);
    EXPECT_EQ(jwt.expires(), now_ + std::chrono::minutes(5));
    EXPECT_EQ(jwt.header().at("kid"), "k1");
    EXPECT_TRUE(jwt.claims().contains("act"));
}

TEST_F(Svid, jwt_claims_of_the_issuer_are_not_the_callers_to_set)
{
    JwtSvidIssuer const issuer("https://authority.acme.ai", "k1", key_, crypto::Algorithm::es256);
    for (auto const* name : { "iss", "sub", "aud", "exp", "iat", "jti" })
        EXPECT_TRUE(issuer.issue({ id(), { "a" }, std::chrono::minutes(5), { { name, "mine" } } }, now_, random_).is_error()) << name;
    EXPECT_TRUE(issuer.issue({ id(), {}, std::chrono::minutes(5), {} }, now_, random_).is_error());
}
