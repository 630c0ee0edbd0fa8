// SPDX-License-Identifier: Apache-2.0
#include "issue/vault_kv/vault_kv.h"

#include "issue/jwt_svid/jwt_svid.h"
#include "issue/vault_kv/vault_answer.h"
#include "issue/vault_double.h"

using namespace writ;
using namespace writ::issue;

namespace {

class VaultKv : public testing::Test, public IssuerTarget {
protected:
    JsonObject provider() override
    {
        return { { "address", vault.address() }, { "ca_file", "" }, { "namespace", vault.name_space }, { "auth", "jwt" }, { "role", role }, { "audience", audience }, { "mount", "secret" },
            { "path", path }, { "field", field }, { "file", "key" }, { "file_variable", "KEY_FILE" }, { "variable", "KEY" }, { "environment", JsonObject() },
            { "scopes", JsonObject { { "call", "" } } } };
    }
    Access granted() override { return { "call", { { "name", "api" } } }; }
    Recipient recipient(Timestamp expires) override
    {
        Recipient recipient { "spiffe://acme.ai/ml/train", "run-a", "train", expires };
        recipient.assertion = [this](std::string audience_asked, JsonObject claims) -> Result<SecretText> {
            auto const id = identity::SpiffeId::parse("spiffe://acme.ai/ml/train").value();
            auto token = TRY(keys.issue({ id, { std::move(audience_asked) }, std::chrono::minutes(5), std::move(claims) }, clock.now(), random));
            return std::move(token.token);
        };
        return recipient;
    }
    std::set<std::string> probe(Credential const& credential) override { return { credential.files.at(0).content.reveal() }; }
    std::set<std::string> expected() override { return { "sk-1" }; }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override { return credential.expires.value(); }
    bool inject(Fault fault, int times) override
    {
        vault.fault = fault;
        vault.faults = times;
        return fault != Fault::overlong && fault != Fault::wider; // a secret has no end of its own and no scope
    }
    std::size_t requests() override { return vault.requests; }

    Result<Credential> create()
    {
        std::vector<Access> const accesses { granted() };
        auto const plan = issuer->plan(provider(), accesses);
        return plan.is_error() ? Result<Credential>(plan.error()) : loop.run(issuer->create(*plan, recipient(clock.now() + std::chrono::minutes(20))));
    }

    net::EventLoop loop;
    SystemClock clock;
    SystemRandom random;
    crypto::PrivateKey const key = crypto::PrivateKey::generate(crypto::KeyType::rsa).value();
    JwtSvidIssuer keys { "https://authority.example", "key", key, crypto::Algorithm::rs256 };
    VaultDouble vault { loop, key.public_key(), clock };
    std::string role = "trainer", audience = "vault.example", path = "openai/research", field = "key";
    std::unique_ptr<CredentialIssuer> issuer
        = create_vault_kv_issuer(clock, random, { .response_deadline = std::chrono::milliseconds(300), .pause_first = std::chrono::milliseconds(1) });
};

} // namespace

TEST_F(VaultKv, conforms) { EXPECT_EQ(IssuerConformance(loop, *issuer, *this, clock).run(), std::vector<std::string>()); }

TEST_F(VaultKv, says_who_reads_and_gives_its_token_back)
{
    auto const credential = create().value();
    EXPECT_EQ(vault.claims.at("sub").as_string(), "spiffe://acme.ai/ml/train");
    EXPECT_EQ(vault.claims.at("run").as_string(), "run-a");
    EXPECT_TRUE(credential.id.starts_with("secret/openai/research/7/")) << credential.id;
    EXPECT_EQ(vault.logins, 1U);
    EXPECT_TRUE(vault.tokens.empty());
    path = "openai/other";
    EXPECT_EQ(create().error().code, ErrorCode::not_found);
    EXPECT_EQ(vault.logins, 2U);
    EXPECT_TRUE(vault.tokens.empty()) << "of a secret that is not there, too";
}

TEST_F(VaultKv, gives_all_fields_as_json_if_none_is_named)
{
    field = "";
    EXPECT_EQ(create().value().files.at(0).content.reveal(), R"({"key":"sk-1","count":3})");
    field = "other";
    EXPECT_EQ(create().error().code, ErrorCode::not_found);
    field = "count";
    EXPECT_EQ(create().error().code, ErrorCode::unavailable) << "a number is no text";
}

TEST_F(VaultKv, of_another_role_audience_or_namespace_there_is_nothing)
{
    role = "another";
    EXPECT_EQ(create().error().code, ErrorCode::permission_denied);
    role = "trainer";
    audience = "elsewhere.example";
    EXPECT_EQ(create().error().code, ErrorCode::permission_denied);
    audience = "vault.example";
    vault.name_space = "ml/research";
    EXPECT_TRUE(create().is_ok());
    auto other = provider();
    other["namespace"] = "ml";
    std::vector<Access> const accesses { granted() };
    EXPECT_EQ(loop.run(issuer->create(issuer->plan(other, accesses).value(), recipient(clock.now() + std::chrono::minutes(1)))).error().code, ErrorCode::permission_denied);
}

TEST(VaultAnswers, are_what_they_should_be_or_nothing)
{
    EXPECT_TRUE(parse_vault_login(R"({"auth":{"client_token":"hvs.a"}})").is_ok());
    for (auto const* const bad : { "", "{}", R"({"auth":null})", R"({"auth":{"client_token":""}})", R"({"auth":{"client_token":"a\r\nx: y"}})" })
        EXPECT_TRUE(parse_vault_login(bad).is_error()) << bad;
    EXPECT_EQ(parse_vault_secret(R"({"data":{"data":{"k":"v"},"metadata":{"version":2}}})", "k").value().version, 2U);
    for (auto const* const bad : { "{}", R"({"data":{"k":"v"}})", R"({"data":{"data":{"k":"v"},"metadata":{}}})", R"({"data":{"data":{"k":""},"metadata":{"version":1}}})",
             R"({"data":{"data":{"k":"a\u0000"},"metadata":{"version":1}}})", R"({"data":{"data":null,"metadata":{"version":1}}})", R"({"data":{"data":{"k":"v"},"metadata":{"version":0}}})" })
        EXPECT_TRUE(parse_vault_secret(bad, "k").is_error()) << bad;
    EXPECT_EQ(error_of_vault({ 403, {}, "{\"errors\":[\"1 error\\n\\tpermission denied\"]}" }).message, "Vault answered 403: 1 error  permission denied");
    EXPECT_EQ(error_of_vault({ 412, {}, "" }).code, ErrorCode::unavailable);
    EXPECT_EQ(error_of_vault({ 404, {}, "x" }).code, ErrorCode::not_found);
    EXPECT_EQ(error_of_vault_login({ 400, {}, "" }).code, ErrorCode::permission_denied);
}

TEST(VaultPaths, lead_nowhere_else)
{
    for (auto const* const good : { "openai/research", "a", "team-1/x_y.z" })
        EXPECT_TRUE(check_vault_path(good).is_ok()) << good;
    for (auto const* const bad : { "", "/a", "a/", "a//b", "../sys", "a/../b", "./a", "a?b", "a#b", "a%2fb", "a b", "a\nb", "\xc3\xa9" })
        EXPECT_TRUE(check_vault_path(bad).is_error()) << bad;
}
