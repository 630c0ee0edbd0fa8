// SPDX-License-Identifier: Apache-2.0
//
// The issuers of tokens and keys, each through the suite of all issuers.
#include "issue/jwt_svid/jwt_svid.h"
#include "issue/oauth2_client/oauth2_client.h"
#include "issue/oauth_double.h"
#include "issue/oauth_endpoint.h"
#include "issue/oidc_token/oidc_token.h"
#include "issue/sealed_secret/sealed_secret.h"
#include "issue/token_exchange/token_exchange.h"

using namespace writ;
using namespace writ::issue;

namespace {

constexpr auto workload = "spiffe://acme.ai/ml/train";

// Everything but a plan's settings is alike.
class Tokens : public testing::Test, public IssuerTarget {
protected:
    static JsonObject with_delivery(JsonObject settings)
    {
        settings.insert({ { "file", "api.token" }, { "file_variable", "API_TOKEN_FILE" }, { "variable", "API_TOKEN" },
            { "environment", JsonObject { { "API_URL", "https://api.example" } } },
            { "scopes", JsonObject { { "call", "model.read model.use" }, { "infer", "" }, { "write", "model.write" } } } });
        return settings;
    }
    Access granted() override { return { "call", { { "name", "api" } } }; }

    Recipient recipient(Timestamp expires) override
    {
        Recipient recipient { workload, "run-aaaaaaaaaaaaaaaaaaaa", "train", expires };
        auto const id = identity::SpiffeId::parse(workload).value();
        recipient.assertion = [this, id](std::string audience, JsonObject claims) -> Result<SecretText> {
            auto token = TRY(keys.issue({ id, { std::move(audience) }, std::chrono::minutes(5), std::move(claims) }, clock.now(), random));
            return std::move(token.token);
        };
        recipient.identity_token = [this, id, expires](std::string audience, JsonObject claims) -> Result<IdentityToken> {
            auto token = TRY(keys.issue({ id, { std::move(audience) }, expires - clock.now(), std::move(claims) }, clock.now(), random));
            return IdentityToken { std::move(token.token), std::move(token.id), token.expires };
        };
        recipient.client_assertion
            = [this](std::string client, std::string audience) { return keys.client_assertion(client, std::move(audience), clock.now(), random); };
        recipient.secret = [this](std::string const& name) -> Result<StoredSecret> {
            return name == "api-key" ? StoredSecret { SecretText(endpoint.client_secret), 3 } : Result<StoredSecret>(not_found("none"));
        };
        return recipient;
    }

    // As a job has it: the file and the variable are one.
    static std::string token_of(Credential const& credential)
    {
        EXPECT_EQ(credential.files.at(0).content.reveal(), credential.variables.at(0).value.reveal());
        EXPECT_EQ(credential.files.at(0).name, "api.token");
        EXPECT_EQ(credential.environment.at("API_URL"), "https://api.example");
        return credential.files.at(0).content.reveal();
    }

    std::vector<std::string> problems(CredentialIssuer& issuer) { return IssuerConformance(loop, issuer, *this, clock).run(); }

    Result<Credential> create(CredentialIssuer& issuer, std::string action = "call")
    {
        std::vector<Access> const accesses { { std::move(action), { { "name", "api" } } } };
        auto plan = issuer.plan(provider(), accesses);
        return plan.is_error() ? Result<Credential>(plan.error()) : loop.run(issuer.create(*plan, recipient(clock.now() + std::chrono::minutes(20))));
    }

    net::EventLoop loop;
    SystemClock clock;
    SystemRandom random;
    crypto::PrivateKey const key = crypto::PrivateKey::generate(crypto::KeyType::rsa).value();
    JwtSvidIssuer keys { "https://authority.example", "key", key, crypto::Algorithm::rs256 };
    OauthDouble endpoint { loop, key.public_key(), clock };
    TokenServiceLimits const impatient { .response_deadline = std::chrono::milliseconds(300), .pause_first = std::chrono::milliseconds(1) };
};

// A JWT is what its audience reads in it.
class OidcToken : public Tokens {
protected:
    JsonObject provider() override { return with_delivery({ { "audience", "third.example" } }); }

    [[nodiscard]] JsonObject claims_of(Credential const& credential) const
    {
        static constexpr crypto::Algorithm accepted[] = { crypto::Algorithm::rs256 };
        auto const parsed = crypto::UnverifiedJwt::parse(token_of(credential)).value();
        return parsed.verify(key.public_key(), { accepted, "third.example", "https://authority.example" }, clock).value().claims();
    }
    std::set<std::string> probe(Credential const& credential) override
    {
        auto const scopes = parse_scopes(claims_of(credential).at("scope").as_string()).value();
        return { scopes.begin(), scopes.end() };
    }
    std::set<std::string> expected() override { return { "model.read", "model.use" }; }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override { return from_unix_seconds(claims_of(credential).at("exp").as_int64()); }
};

// An opaque token is what its endpoint knows of it.
class Oauth : public Tokens {
protected:
    std::set<std::string> probe(Credential const& credential) override
    {
        auto const token = endpoint.tokens.find(token_of(credential));
        return token == endpoint.tokens.end() ? std::set<std::string>() : std::set<std::string>(token->second.scopes.begin(), token->second.scopes.end());
    }
    [[nodiscard]] std::string revocation() const { return std::string(endpoint.url()).replace(endpoint.url().rfind('/') + 1, 5, "revoke"); }
    std::set<std::string> expected() override { return { "model.read", "model.use" }; }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override { return endpoint.tokens.at(token_of(credential)).expires; }
    bool inject(Fault fault, int times) override
    {
        endpoint.fault = fault;
        endpoint.faults = times;
        return true;
    }
    std::size_t requests() override { return endpoint.requests; }
};

class Oauth2Client : public Oauth {
protected:
    JsonObject provider() override
    {
        return with_delivery({ { "endpoint", endpoint.url() }, { "ca_file", "" }, { "revocation_endpoint", revocation() }, { "client_id", "writ/1" }, { "authentication", authentication },
            { "secret", secret }, { "parameters", JsonObject { { "resource", "https://api.example" } } } });
    }
    std::string authentication = "private_key_jwt";
    std::string secret = "api-key";
    std::unique_ptr<CredentialIssuer> issuer = create_oauth2_client_issuer(clock, impatient);
};

class TokenExchange : public Oauth {
protected:
    JsonObject provider() override
    {
        return with_delivery({ { "endpoint", endpoint.url() }, { "ca_file", "" }, { "revocation_endpoint", revocation() }, { "audience", audience }, { "grant", grant }, { "body", body },
            { "subject_token_type", "urn:ietf:params:oauth:token-type:jwt" }, { "parameters", JsonObject { { "resource", "https://api.example" } } },
            { "headers", JsonObject() } });
    }
    std::string audience = "third.example";
    std::string grant = "token-exchange";
    std::string body = "form";
    std::unique_ptr<CredentialIssuer> issuer = create_token_exchange_issuer(clock, impatient);
};

// What holds it sealed is the only system there is: the value is good for all that it is good for, and ends when its file goes.
class SealedSecret : public Tokens {
protected:
    JsonObject provider() override { return with_delivery({ { "secret", secret } }); }
    std::set<std::string> probe(Credential const& credential) override
    {
        return token_of(credential) == endpoint.client_secret ? std::set<std::string> { "all" } : std::set<std::string>();
    }
    std::set<std::string> expected() override { return { "all" }; }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override { return credential.expires.value(); }

    std::string secret = "api-key";
    std::unique_ptr<CredentialIssuer> issuer = create_sealed_secret_issuer(clock, random);
};

// Breaks one rule.
class Tampering final : public CredentialIssuer {
public:
    enum class Crime { any_action, more_scope, too_long, no_end, secret_in_variable };
    Tampering(CredentialIssuer& honest, Crime crime)
        : honest_(honest)
        , crime_(crime)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        std::vector<Access> changed(accesses.begin(), accesses.end());
        if (crime_ == Crime::any_action && !changed.empty())
            changed.front().action = "call";
        if (crime_ == Crime::more_scope && !changed.empty())
            changed.push_back({ "write", changed.front().resource });
        return honest_.plan(provider, changed);
    }
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override
    {
        if (crime_ == Crime::too_long)
            recipient = lengthened_(recipient.expires + std::chrono::hours(1));
        auto created = co_await honest_.create(std::move(plan), std::move(recipient));
        if (created.is_ok() && crime_ == Crime::no_end)
            created->expires.reset();
        if (created.is_ok() && crime_ == Crime::secret_in_variable)
            created->environment["LEAK"] = created->files.front().content.reveal();
        co_return created;
    }
    std::function<Recipient(Timestamp)> lengthened_;

private:
    CredentialIssuer& honest_;
    Crime crime_;
};

} // namespace

TEST_F(OidcToken, conforms)
{
    auto const issuer = create_oidc_token_issuer();
    EXPECT_EQ(problems(*issuer), std::vector<std::string>());
}

TEST_F(OidcToken, a_twin_that_breaks_a_rule_does_not_conform)
{
    auto const issuer = create_oidc_token_issuer();
    using enum Tampering::Crime;
    for (auto const crime : { any_action, more_scope, too_long, no_end, secret_in_variable }) {
        Tampering twin(*issuer, crime);
        twin.lengthened_ = [this](Timestamp expires) { return recipient(expires); };
        EXPECT_FALSE(problems(twin).empty()) << static_cast<int>(crime);
    }
}

TEST_F(OidcToken, says_for_which_run_and_purpose_it_is_and_ends_in_no_line_end)
{
    auto const issuer = create_oidc_token_issuer();
    auto const credential = create(*issuer).value();
    auto const claims = claims_of(credential);
    EXPECT_EQ(claims.at("run").as_string(), "run-aaaaaaaaaaaaaaaaaaaa");
    EXPECT_EQ(claims.at("purpose").as_string(), "train");
    EXPECT_EQ(claims.at("sub").as_string(), workload);
    EXPECT_EQ(claims.at("jti").as_string(), credential.id);
    EXPECT_EQ(token_of(credential).find_first_of(" \r\n"), std::string::npos);
    EXPECT_FALSE(claims_of(create(*issuer, "infer").value()).contains("scope"));
}

TEST_F(OidcToken, stands_in_its_file_where_the_declaration_says)
{
    TokenDelivery delivery = parse_token_delivery(provider()).value();
    delivery.file_content = "machine api.example login writ password {token}\n";
    Credential credential;
    deliver_token(credential, delivery, SecretText("secret{token}"));
    EXPECT_EQ(credential.files.at(0).content.reveal(), "machine api.example login writ password secret{token}\n");
    EXPECT_EQ(credential.variables.at(0).value.reveal(), "secret{token}");
    EXPECT_TRUE(check_file_content("a {token} b").is_ok());
    for (auto const& wrong : { std::string(), std::string("token"), std::string("{token}{token}"), std::string("{token}\0", 8), "{token}" + std::string(5000, 'x') })
        EXPECT_TRUE(check_file_content(wrong).is_error()) << wrong.substr(0, 20);
}

TEST_F(Oauth2Client, conforms_with_each_way_to_prove_who_asks)
{
    for (auto const* way : { "private_key_jwt", "client_secret_basic", "client_secret_post" }) {
        authentication = way;
        EXPECT_EQ(problems(*issuer), std::vector<std::string>()) << way;
    }
}

TEST_F(Oauth2Client, a_wrong_secret_is_refused_once_and_a_missing_one_is_not_sent)
{
    authentication = "client_secret_basic";
    endpoint.client_secret = "another";
    EXPECT_EQ(create(*issuer).error().code, ErrorCode::permission_denied);
    EXPECT_EQ(endpoint.requests, 1U);
    secret = "not-there";
    EXPECT_EQ(create(*issuer).error().code, ErrorCode::not_found);
    EXPECT_EQ(endpoint.requests, 1U);
}

TEST_F(Oauth2Client, withdraws_as_the_client_that_it_is)
{
    authentication = "client_secret_post";
    auto const credential = create(*issuer).value();
    endpoint.client_secret = "another";
    EXPECT_TRUE(loop.run(issuer->withdraw(credential.withdrawal.duplicate(), recipient(clock.now()))).is_ok()) << "the secret is the newest";
    EXPECT_TRUE(probe(credential).empty());
    EXPECT_TRUE(loop.run(issuer->withdraw(SecretText("{}"), recipient(clock.now()))).is_error());
}

TEST_F(Oauth2Client, declared_parameters_are_sent)
{
    auto const credential = create(*issuer).value();
    EXPECT_EQ(endpoint.tokens.at(token_of(credential)).form.get("resource"), "https://api.example");
}

TEST_F(TokenExchange, conforms_in_each_dress)
{
    endpoint.knows_client = true;
    for (auto const* kind : { "token-exchange", "jwt-bearer" }) {
        for (auto const* dress : { "form", "json" }) {
            grant = kind;
            body = dress;
            EXPECT_EQ(problems(*issuer), std::vector<std::string>()) << kind << " " << dress;
        }
    }
}

TEST_F(TokenExchange, shows_a_token_for_the_third_party_alone)
{
    EXPECT_TRUE(create(*issuer).is_ok());
    EXPECT_EQ(endpoint.claims.at("sub").as_string(), workload);
    EXPECT_EQ(endpoint.claims.at("run").as_string(), "run-aaaaaaaaaaaaaaaaaaaa");
    audience = "fourth.example";
    auto const refused = create(*issuer);
    EXPECT_EQ(refused.error(), Error(ErrorCode::permission_denied, "the token endpoint answered 401 `invalid_client`"));
}

TEST_F(TokenExchange, an_endpoints_words_stay_on_one_line)
{
    inject(Fault::refusing, 1);
    EXPECT_EQ(create(*issuer).error().message, "the token endpoint answered 400 `invalid_grant`: not you");
}

TEST_F(SealedSecret, conforms) { EXPECT_EQ(problems(*issuer), std::vector<std::string>()); }

TEST_F(SealedSecret, each_release_is_told_from_the_others_and_names_the_version)
{
    auto const one = create(*issuer).value();
    auto const other = create(*issuer).value();
    EXPECT_TRUE(one.id.starts_with("api-key/3/"));
    EXPECT_NE(one.id, other.id);
    secret = "not-there";
    EXPECT_EQ(create(*issuer).error().code, ErrorCode::not_found);
}

TEST(TokenAnswer, refuses_what_is_no_token_with_an_end)
{
    EXPECT_EQ(parse_token_answer(R"({"access_token":"a","expires_in":60})").value().lifetime, std::chrono::seconds(60));
    EXPECT_EQ(parse_token_answer(R"({"access_token":"a","expires_in":60.9})").value().lifetime, std::chrono::seconds(60));
    EXPECT_FALSE(parse_token_answer(R"({"access_token":"a","expires_in":60})").value().scopes);
    for (auto const* bad : { "", "[]", "{}", R"({"access_token":"a"})", R"({"access_token":"","expires_in":60})", R"({"access_token":"a\nb","expires_in":60})",
             R"({"access_token":"a b","expires_in":60})", R"({"access_token":1,"expires_in":60})", R"({"access_token":"a","expires_in":0})",
             R"({"access_token":"a","expires_in":-1})", R"({"access_token":"a","expires_in":1e300})", R"({"access_token":"a","expires_in":"60"})",
             R"({"access_token":"a","expires_in":60,"scope":1})", R"({"access_token":"a","access_token":"b","expires_in":60})" })
        EXPECT_TRUE(parse_token_answer(bad).is_error()) << bad;
}

TEST(TokenEndpoint, is_a_path_at_a_host_that_answers_encrypted)
{
    auto const endpoint = parse_token_endpoint("https://auth.example:8443/oauth/token").value();
    EXPECT_EQ(endpoint.origin, "https://auth.example:8443");
    EXPECT_EQ(endpoint.path, "/oauth/token");
    EXPECT_EQ(parse_token_endpoint("https://auth.example").value().path, "/");
    for (auto const* bad : { "", "auth.example/token", "http://auth.example/token", "https://auth.example/a?b=c", "https://auth.example/a#b", "https://auth.example/a b",
             "https://auth.example/%2e", "https://auth.example/a/../b", "https://auth.example/./b", "https://auth.example//b", "ftp://127.0.0.1:1/a" })
        EXPECT_TRUE(parse_token_endpoint(bad).is_error()) << bad;
}

TEST(ClientAssertion, cannot_be_taken_for_a_workloads_token)
{
    SystemRandom random;
    JwtSvidIssuer const keys("https://authority.example", "key", crypto::PrivateKey::generate(crypto::KeyType::p256).value(), crypto::Algorithm::es256);
    for (auto const* client : { "", "https://authority.example", "spiffe://acme.ai/ml/train" })
        EXPECT_TRUE(keys.client_assertion(client, "https://auth.example/token", from_unix_seconds(1), random).is_error()) << client;
}

TEST(Scopes, are_tokens_of_printable_ascii)
{
    EXPECT_EQ(to_text(parse_scopes("b a  b").value()), "a b");
    for (auto const* bad : { "a\"b", "a\\b", "a\nb", "\xc3\xa4" })
        EXPECT_TRUE(parse_scopes(bad).is_error()) << bad;
}

TEST(TokenDelivery, gives_a_token_to_each_place_and_needs_no_file_for_that)
{
    JsonObject settings { { "file", "a" }, { "file_variable", "" }, { "variable", "" }, { "environment", JsonObject() } };
    EXPECT_TRUE(parse_token_delivery(settings).is_error());
    settings["places"] = JsonArray { JsonObject { { "client", "git" }, { "url", "https://git.example" }, { "username", "oauth2" } } };
    Credential credential;
    deliver_token(credential, parse_token_delivery(settings).value(), SecretText("token"));
    EXPECT_TRUE(credential.files.empty() && credential.variables.empty());
    ASSERT_EQ(credential.places.size(), 1U);
    EXPECT_EQ(credential.places.front().username, "oauth2");
    EXPECT_EQ(credential.places.front().secret.reveal(), "token");
    settings["places"] = JsonArray { JsonObject { { "client", "git" } } };
    EXPECT_TRUE(parse_token_delivery(settings).is_error());
}
