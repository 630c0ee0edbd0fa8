// SPDX-License-Identifier: Apache-2.0
#include "authority/token_verification.h"

#include "store/store.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::authority;

namespace {

constexpr char const* issuer = "https://authority.acme.ai";

// Keeps keys as long as the test runs.
class KeysInMemory final : public store::KeyStore {
public:
    Result<std::vector<SealedKey>> keys() override { return keys_; }
    Result<> add(SealedKey const& key) override
    {
        keys_.push_back(key);
        return {};
    }
    std::vector<SealedKey> keys_;
};

class TokenVerification : public testing::Test {
protected:
    TokenVerification()
        : clock_(from_unix_seconds(1'800'000'000))
        , state_ { clock_, random_, "acme.ai", issuer, {}, nullptr, {}, open_keys(), {}, nullptr, {}, {} }
    {
    }

    Keyring open_keys() { return Keyring::open(store_, key_, "acme.ai", issuer, clock_.now(), random_).value(); }

    std::string token(std::string_view subject, std::vector<std::string> audience, Duration lifetime)
    {
        return state_.keys.jwt(crypto::Algorithm::es256)
            .issue({ identity::SpiffeId::parse(subject).value(), std::move(audience), lifetime, {} }, clock_.now(), random_)
            .value()
            .token.reveal();
    }

    ManualClock clock_;
    SystemRandom random_;
    KeysInMemory store_;
    SecretBytes key_ { Bytes(32, 7) };
    AuthorityState state_;
};

} // namespace

TEST_F(TokenVerification, accepts_a_token_of_ours_until_the_second_it_expires)
{
    auto const mine = token("spiffe://acme.ai/x", { issuer }, std::chrono::minutes(5));
    EXPECT_EQ(verify_own_token(state_, mine).value().subject(), "spiffe://acme.ai/x");
    clock_.advance(std::chrono::seconds(299));
    EXPECT_TRUE(verify_own_token(state_, mine).is_ok());
    clock_.advance(std::chrono::seconds(1));
    EXPECT_EQ(verify_own_token(state_, mine).error().code, ErrorCode::unauthenticated);
}

TEST_F(TokenVerification, refuses_a_token_for_somebody_else_or_of_another_trust_domain)
{
    EXPECT_TRUE(verify_own_token(state_, token("spiffe://acme.ai/x", { "https://elsewhere" }, std::chrono::minutes(5))).is_error());
    EXPECT_TRUE(verify_own_token(state_, token("spiffe://other.ai/x", { issuer }, std::chrono::minutes(5))).is_error());
}

TEST_F(TokenVerification, refuses_every_changed_character)
{
    auto const mine = token("spiffe://acme.ai/x", { issuer }, std::chrono::minutes(5));
    for (std::size_t place = 0; place < mine.size(); ++place) {
        auto changed = mine;
        changed[place] = changed[place] == 'A' ? 'B' : 'A';
        EXPECT_TRUE(verify_own_token(state_, changed).is_error()) << place;
    }
}

TEST_F(TokenVerification, refuses_a_token_that_the_workload_signed_with_a_key_of_its_own)
{
    auto const key = crypto::PrivateKey::generate(crypto::KeyType::p256).value();
    issue::JwtSvidIssuer const forger(issuer, state_.keys.bundle().jwt_keys.front().id, key, crypto::Algorithm::es256);
    auto const forged = forger
                            .issue({ identity::SpiffeId::parse("spiffe://acme.ai/x").value(), { issuer }, std::chrono::minutes(5), {} },
                                clock_.now(), random_)
                            .value();
    EXPECT_TRUE(verify_own_token(state_, forged.token.reveal()).is_error());
}

TEST_F(TokenVerification, keys_are_the_same_after_a_restart_and_of_no_use_without_their_key)
{
    auto const mine = token("spiffe://acme.ai/x", { issuer }, std::chrono::minutes(5));
    auto const again = Keyring::open(store_, key_, "acme.ai", issuer, clock_.now(), random_).value();
    EXPECT_EQ(again.root_certificate(), state_.keys.root_certificate());
    EXPECT_NE(again.bundle().find_jwt_key(crypto::UnverifiedJwt::parse(mine).value().key_id_without_verifying()), nullptr);
    EXPECT_EQ(
        Keyring::open(store_, SecretBytes(Bytes(32, 8)), "acme.ai", issuer, clock_.now(), random_).error().code, ErrorCode::corruption);
    EXPECT_EQ(Keyring::open(store_, key_, "other.ai", issuer, clock_.now(), random_).error().code, ErrorCode::conflict);
    std::swap(store_.keys_[0].sealed, store_.keys_[1].sealed); // one key in another's place
    EXPECT_EQ(Keyring::open(store_, key_, "acme.ai", issuer, clock_.now(), random_).error().code, ErrorCode::corruption);
}
