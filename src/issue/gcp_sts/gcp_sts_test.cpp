// SPDX-License-Identifier: Apache-2.0
#include "issue/gcp_sts/gcp_sts.h"
#include "issue/gcp_sts/access_boundary.h"
#include "issue/gcp_sts/gcp_double.h"
#include "issue/issuer_conformance.h"
#include "issue/token_answer.h"

using namespace writ;
using namespace writ::issue;

namespace {

constexpr auto workload = "spiffe://acme.ai/ml/train";
constexpr auto viewer = "roles/storage.objectViewer";
constexpr auto user = "roles/storage.objectUser";

JsonObject place(std::string bucket, std::string prefix) { return { { "bucket", std::move(bucket) }, { "prefix", std::move(prefix) } }; }

std::string token_of(Credential const& credential) { return std::string(parse_json_object(credential.document.reveal())->at("access_token").as_string()); }

class GcpSts : public testing::Test, public IssuerTarget {
protected:
    JsonObject provider() override
    {
        return { { "workload_identity_provider", "projects/1/locations/global/workloadIdentityPools/p/providers/w" },
            { "service_account", "trainer@acme.iam.gserviceaccount.com" }, { "project", "acme" }, { "audience", audience }, { "sts_endpoint", google.url() },
            { "iam_endpoint", google.url() }, { "store_endpoint", "" }, { "ca_file", "" } };
    }
    Access granted() override { return { "read", place("genomes", "public/v2") }; }

    Recipient recipient(Timestamp expires) override
    {
        auto const assertion = [this](std::string for_whom, JsonObject claims) -> Result<SecretText> {
            claims.insert({ { "iss", "https://authority.example" }, { "sub", workload }, { "aud", std::move(for_whom) },
                { "exp", to_unix_seconds(clock.now() + std::chrono::minutes(5)) } });
            return SecretText(TRY(crypto::sign_jwt(claims, "key", "JWT", key, crypto::Algorithm::rs256)));
        };
        return { workload, "run-aaaaaaaaaaaaaaaaaaaa", "train", expires, assertion };
    }

    std::set<std::string> probe(Credential const& credential) override
    {
        std::set<std::string> can;
        auto const token = token_of(credential);
        for (auto const* object : { "public/v2", "public/v2/a", "public/v22", "public/a", "private/a" }) {
            for (auto const* role : { viewer, user }) {
                if (google.allows(token, role, "genomes", object, ""))
                    can.insert(std::string(role) + " " + object);
            }
        }
        if (google.allows(token, viewer, "others", "public/v2/a", ""))
            can.insert("another bucket");
        for (auto const* prefix : { "public/v2/", "public/v2/x/", "public/v2", "public/" }) {
            if (google.allows(token, viewer, "genomes", "", prefix))
                can.insert("list " + std::string(prefix));
        }
        return can;
    }
    std::set<std::string> expected() override
    {
        return { std::string(viewer) + " public/v2", std::string(viewer) + " public/v2/a", "list public/v2/", "list public/v2/x/" };
    }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override { return google.tokens.at(token_of(credential)).expires; }

    Result<Credential> ask(std::vector<Access> const& accesses, Duration lifetime = std::chrono::hours(1))
    {
        return loop.run(issuer->create(issuer->plan(provider(), accesses).value(), recipient(clock.now() + lifetime)));
    }

    net::EventLoop loop;
    SystemClock clock;
    crypto::PrivateKey const key = crypto::PrivateKey::generate(crypto::KeyType::rsa).value();
    GcpDouble google { loop, key.public_key(), clock };
    std::string audience = "https://iam.example/pool";
    std::unique_ptr<CredentialIssuer> issuer = create_gcp_sts_issuer(clock, { .pause_first = std::chrono::milliseconds(1) });
};

// Widens what it is asked for, or forgets the boundary's end.
class WideTwin final : public CredentialIssuer {
public:
    explicit WideTwin(CredentialIssuer& honest)
        : honest_(honest)
    {
    }
    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        std::vector<Access> changed(accesses.begin(), accesses.end());
        for (auto& access : changed)
            access.resource["prefix"] = "public";
        return honest_.plan(provider, changed);
    }
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override { return honest_.create(std::move(plan), std::move(recipient)); }

private:
    CredentialIssuer& honest_;
};

} // namespace

TEST_F(GcpSts, conforms)
{
    EXPECT_EQ(IssuerConformance(loop, *issuer, *this, clock).run(), std::vector<std::string>());
}

TEST_F(GcpSts, a_wider_twin_does_not_conform)
{
    WideTwin twin(*issuer);
    EXPECT_FALSE(IssuerConformance(loop, twin, *this, clock).run().empty());
}

TEST_F(GcpSts, one_token_reads_the_data_and_writes_the_checkpoints_and_nothing_else)
{
    auto const token = token_of(ask({ { "train", place("genomes", "public") }, { "write", place("runs", "7") } }).value());
    EXPECT_TRUE(google.allows(token, viewer, "genomes", "public/a", "") && google.allows(token, user, "runs", "7/model", ""));
    EXPECT_FALSE(google.allows(token, user, "genomes", "public/a", "") || google.allows(token, user, "runs", "70/model", ""));
    EXPECT_EQ(google.path, "/v1/projects/-/serviceAccounts/trainer@acme.iam.gserviceaccount.com:generateAccessToken");
}

TEST_F(GcpSts, tries_again_while_google_is_at_fault_and_not_when_it_refuses)
{
    google.failures = 2;
    EXPECT_TRUE(ask({ granted() }).is_ok());
    EXPECT_EQ(google.requests, 5U);
    google.failures = 3;
    EXPECT_EQ(ask({ granted() }).error().code, ErrorCode::unavailable);
    google.failures = 0;
    google.refusal = "PERMISSION_DENIED";
    EXPECT_EQ(ask({ granted() }).error(),
        Error(ErrorCode::permission_denied,
            "impersonate `trainer@acme.iam.gserviceaccount.com`: Google answered 403 `PERMISSION_DENIED`: iam.serviceAccounts.getAccessToken"));
    audience = "https://another.example";
    EXPECT_EQ(ask({ granted() }).error(), Error(ErrorCode::permission_denied, "token exchange: Google answered 400 `invalid_grant`: not <you>"));
}

TEST_F(GcpSts, hands_on_no_token_that_lives_longer_or_may_more_than_it_should)
{
    google.overlong = std::chrono::hours(1);
    EXPECT_EQ(ask({ granted() }).error().code, ErrorCode::unavailable);
    google.overlong = {};
    google.is_lazy = true;
    EXPECT_EQ(ask({ granted() }).error().code, ErrorCode::unavailable);
    google.is_lazy = false;
    auto const credential = ask({ granted() }).value();
    EXPECT_TRUE(credential.id.starts_with("gcp-"));
    EXPECT_EQ(credential.id.size(), 24U);
    EXPECT_EQ(credential.environment, (std::map<std::string, std::string> { { "GOOGLE_CLOUD_PROJECT", "acme" } }));
}

TEST(AccessBoundary, holds_to_names_below_a_prefix_and_has_ten_rules_at_the_most)
{
    std::vector<ObjectAccess> accesses { { { "genomes", "public" }, false }, { { "runs", "" }, true } };
    EXPECT_EQ(access_boundary_options(accesses).value(),
        R"j({"accessBoundary":{"accessBoundaryRules":[{"availableResource":"//storage.googleapis.com/projects/_/buckets/genomes",)j"
        R"j("availablePermissions":["inRole:roles/storage.objectViewer"],"availabilityCondition":{"expression":"resource.name == 'projects/_/buckets/genomes/objects/public' || )j"
        R"j(resource.name.startsWith('projects/_/buckets/genomes/objects/public/') || api.getAttribute('storage.googleapis.com/objectListPrefix', '').startsWith('public/')"}},)j"
        R"j({"availableResource":"//storage.googleapis.com/projects/_/buckets/runs","availablePermissions":["inRole:roles/storage.objectUser"]}]}})j");
    accesses.resize(11, accesses.front());
    EXPECT_EQ(access_boundary_options(accesses).error().code, ErrorCode::invalid_argument);
}

TEST(AccessBoundary, takes_no_place_that_a_condition_could_read_otherwise)
{
    for (auto const* prefix : { "a'", "a\\", "a*", "${a}", "/a", "a/", "a//b", "a b", "a\"b", "a\nb" })
        EXPECT_TRUE(parse_object_place(place("bucket", prefix)).is_error()) << prefix;
    for (auto const* bucket : { "", "ab", "*", "Bucket", "a/b", ".bucket", "a'b" })
        EXPECT_TRUE(parse_object_place(place(bucket, "a")).is_error()) << bucket;
    EXPECT_TRUE(parse_object_place(place("my_bucket.example", "a/b=c/d.e")).is_ok());
    EXPECT_EQ(parse_object_access({ "delete", place("bucket", "a") }).error().code, ErrorCode::permission_denied);
}

TEST(GcpNames, are_refused_where_a_path_would_read_them_otherwise)
{
    EXPECT_TRUE(check_service_account("a-1@acme.iam.gserviceaccount.com").is_ok());
    for (auto const* email : { "", "a", "@acme.iam.gserviceaccount.com", "a@acme.example", "a/b@acme.iam.gserviceaccount.com", "a:x@acme.iam.gserviceaccount.com" })
        EXPECT_TRUE(check_service_account(email).is_error()) << email;
    EXPECT_TRUE(check_workload_identity_provider("projects/1/locations/global/workloadIdentityPools/p/providers/w").is_ok());
    for (auto const* name : { "", "projects/1", "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/w",
             "projects/x/locations/global/workloadIdentityPools/p/providers/w", "projects/1/locations/global/workloadIdentityPools/p/providers/w/x" })
        EXPECT_TRUE(check_workload_identity_provider(name).is_error()) << name;
}

TEST(BearerAnswer, refuses_what_is_not_one_whole_token)
{
    EXPECT_EQ(parse_bearer_answer(R"({"access_token":"a","token_type":"bearer","expires_in":5})").value().lifetime, std::chrono::seconds(5));
    for (auto const* bad : { "", "{}", R"({"access_token":"","token_type":"Bearer"})", R"({"access_token":"a\n","token_type":"Bearer"})",
             R"({"access_token":"a","token_type":"mac"})", R"({"access_token":"a","token_type":"Bearer","expires_in":-1})",
             R"({"access_token":"a","access_token":"b","token_type":"Bearer"})", R"({"access_token":"a","token_type":"Bearer","expires_in":"3600"})" })
        EXPECT_TRUE(parse_bearer_answer(bad).is_error()) << bad;
    EXPECT_TRUE(parse_impersonated_token(R"({"accessToken":"a","expireTime":"2026-11-26T18:00:00Z"})").is_ok());
    EXPECT_TRUE(parse_impersonated_token(R"({"accessToken":"a","expireTime":"soon"})").is_error());
    EXPECT_EQ(parse_told_error(R"({"error":"invalid_grant","error_description":"a\nb"})").message, "a b");
    EXPECT_EQ(parse_told_error(R"({"error":{"code":403,"status":"PERMISSION_DENIED","message":"no"}})").code, "PERMISSION_DENIED");
    EXPECT_EQ(parse_told_error("<html>").code, "");
}
