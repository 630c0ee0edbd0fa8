// SPDX-License-Identifier: Apache-2.0
#include "issue/azure_entra/azure_entra.h"
#include "issue/azure_entra/entra_double.h"
#include "issue/azure_entra/entra_error.h"
#include "issue/issuer_conformance.h"

using namespace writ;
using namespace writ::issue;

namespace {

constexpr auto workload = "spiffe://acme.ai/ml/train";
constexpr auto reader = "11111111-2222-3333-4444-555555555555";
constexpr auto writer = "11111111-2222-3333-4444-666666666666";
constexpr auto storage = "https://storage.azure.com/.default";

JsonObject place(std::string container, std::string prefix)
{
    return { { "account", "acme.blob.core.windows.net" }, { "bucket", std::move(container) }, { "prefix", std::move(prefix) } };
}

JsonObject document_of(Credential const& credential) { return parse_json_object(credential.document.reveal()).value(); }

class AzureEntra : public testing::Test, public IssuerTarget {
protected:
    JsonObject provider() override
    {
        return { { "tenant", "acme.example" }, { "client_id", client }, { "scope", storage }, { "access", access }, { "audience", audience }, { "endpoint", entra.url() },
            { "ca_file", "" } };
    }
    Access granted() override { return { "read", place("genomes", "public/v2") }; }

    Recipient recipient(Timestamp expires) override
    {
        auto const assertion = [this](std::string for_whom, JsonObject claims) -> Result<SecretText> {
            claims.insert({ { "iss", "https://authority.example" }, { "sub", workload }, { "aud", std::move(for_whom) },
                { "jti", std::to_string(++assertions) }, { "exp", to_unix_seconds(clock.now() + std::chrono::minutes(5)) } });
            return SecretText(TRY(crypto::sign_jwt(claims, "key", "JWT", key, crypto::Algorithm::rs256)));
        };
        return { workload, "run-aaaaaaaaaaaaaaaaaaaa", "train", expires, assertion };
    }

    std::set<std::string> probe(Credential const& credential) override
    {
        auto const found = entra.tokens.find(std::string(document_of(credential).at("access_token").as_string()));
        if (found == entra.tokens.end() || found->second.scope != storage)
            return {};
        auto const may_write = entra.writers.contains(found->second.client_id);
        return may_write ? std::set<std::string> { "read", "write" } : std::set<std::string> { "read" };
    }
    std::set<std::string> expected() override { return { "read" }; }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override
    {
        return entra.tokens.at(std::string(document_of(credential).at("access_token").as_string())).expires;
    }

    Result<Credential> ask(std::vector<Access> const& accesses, Duration lifetime = std::chrono::hours(1))
    {
        auto const plan = TRY(issuer->plan(provider(), accesses));
        return loop.run(issuer->create(plan, recipient(clock.now() + lifetime)));
    }

    net::EventLoop loop;
    SystemClock clock;
    crypto::PrivateKey const key = crypto::PrivateKey::generate(crypto::KeyType::rsa).value();
    EntraDouble entra { loop, key.public_key(), clock };
    std::string client = reader, access = "read", audience = "api://AzureADTokenExchange";
    int assertions = 0;
    std::unique_ptr<CredentialIssuer> issuer = create_azure_entra_issuer(clock, { .pause_first = std::chrono::milliseconds(1) });
};

// Takes an application that may write for one that may only read.
class WideTwin final : public CredentialIssuer {
public:
    explicit WideTwin(CredentialIssuer& honest)
        : honest_(honest)
    {
    }
    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        auto changed = provider;
        changed["client_id"] = writer;
        return honest_.plan(changed, accesses);
    }
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override { return honest_.create(std::move(plan), std::move(recipient)); }

private:
    CredentialIssuer& honest_;
};

} // namespace

TEST_F(AzureEntra, conforms)
{
    EXPECT_EQ(IssuerConformance(loop, *issuer, *this, clock).run(), std::vector<std::string>());
    EXPECT_EQ(entra.path, "/acme.example/oauth2/v2.0/token");
}

TEST_F(AzureEntra, a_wider_twin_does_not_conform)
{
    entra.writers = { writer };
    WideTwin twin(*issuer);
    EXPECT_FALSE(IssuerConformance(loop, twin, *this, clock).run().empty());
}

TEST_F(AzureEntra, is_never_wider_than_what_was_decided)
{
    auto const read = granted();
    Access const write { "write", read.resource };
    Access const elsewhere { "read", place("others", "") };
    EXPECT_EQ(ask({ write }).error().code, ErrorCode::permission_denied);
    access = "write";
    EXPECT_EQ(ask({ read }).error().code, ErrorCode::permission_denied);
    EXPECT_EQ(ask({ write, elsewhere }).error().code, ErrorCode::permission_denied);
    EXPECT_TRUE(ask({ write, read }).is_ok());
}

TEST_F(AzureEntra, hands_on_no_token_that_lives_longer_than_it_may)
{
    entra.lifetime = std::chrono::minutes(75);
    EXPECT_EQ(ask({ granted() }).error().code, ErrorCode::unavailable);
    auto const credential = ask({ granted() }, entra_token_usual).value();
    EXPECT_LE(*credential.expires, clock.now() + std::chrono::minutes(76));
    EXPECT_EQ(document_of(credential).at("resource").as_string(), "https://storage.azure.com");
    EXPECT_TRUE(credential.environment.empty());
}

TEST_F(AzureEntra, tries_again_while_entra_is_at_fault_and_not_when_it_refuses)
{
    entra.failures = 2;
    EXPECT_TRUE(ask({ granted() }).is_ok());
    entra.failures = 3;
    EXPECT_EQ(ask({ granted() }).error().code, ErrorCode::unavailable);
    entra.failures = 0;
    entra.requests = 0;
    entra.refusal = "AADSTS700213";
    auto const refused = ask({ granted() });
    EXPECT_EQ(refused.error().code, ErrorCode::permission_denied);
    EXPECT_NE(refused.error().message.find("SPIFFE ID as subject"), std::string::npos) << refused.error().message;
    EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
    EXPECT_EQ(entra.requests, 1U);
    entra.refusal.clear();
    audience = "another";
    EXPECT_EQ(ask({ granted() }).error().code, ErrorCode::permission_denied);
}

TEST(EntraNames, are_refused_where_a_form_or_path_would_read_them_otherwise)
{
    EXPECT_TRUE(check_entra_tenant("acme.onmicrosoft.com").is_ok() && check_entra_tenant(reader).is_ok());
    for (auto const* tenant : { "", "..", "a/b", "a b", "a?b" })
        EXPECT_TRUE(check_entra_tenant(tenant).is_error()) << tenant;
    EXPECT_TRUE(check_entra_client_id(reader).is_ok());
    for (auto const* id : { "", "11111111-2222-3333-4444-55555555555", "11111111-2222-3333-4444-55555555555g", "11111111222233334444555555555555" })
        EXPECT_TRUE(check_entra_client_id(id).is_error()) << id;
    EXPECT_TRUE(check_entra_scope(storage).is_ok() && check_entra_scope("api://11111111-2222-3333-4444-555555555555/.default").is_ok());
    for (auto const* scope : { "", "/.default", "https://storage.azure.com/", "a/.default b/.default", "openid" })
        EXPECT_TRUE(check_entra_scope(scope).is_error()) << scope;
}

TEST(EntraError, says_what_an_administrator_does)
{
    auto const error_of = [](int status, std::string body) { return entra_error({ status, {}, std::move(body) }); };
    EXPECT_EQ(error_of(400, R"({"error":"invalid_request","error_description":"AADSTS90002: Tenant"})").code, ErrorCode::invalid_argument);
    EXPECT_EQ(error_of(401, R"({"error":"invalid_client","error_description":"AADSTS700024: expired"})").code, ErrorCode::unavailable);
    EXPECT_EQ(error_of(401, R"({"error":"invalid_client","error_description":"AADSTS99999999: new"})").code, ErrorCode::permission_denied);
    EXPECT_EQ(error_of(429, "").code, ErrorCode::unavailable);
    EXPECT_EQ(error_of(502, "<html>").code, ErrorCode::unavailable);
    EXPECT_EQ(error_of(400, R"({"error":"invalid_scope","error_description":"AADSTS70011: x"})").message,
        "Entra answered 400 `invalid_scope`: AADSTS70011: x (the scope is `RESOURCE/.default`)");
}
