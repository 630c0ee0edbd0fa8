// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/aws_sts.h"
#include "issue/aws_sts/session_policy.h"
#include "issue/aws_sts/sts_answer.h"
#include "issue/aws_sts/sts_double.h"
#include "issue/issuer_conformance.h"

using namespace writ;
using namespace writ::issue;

namespace {

constexpr auto workload = "spiffe://acme.ai/ml/train";
constexpr auto bucket_arn = "arn:aws:s3:::genomes";

JsonObject place(std::string bucket, std::string prefix) { return { { "bucket", std::move(bucket) }, { "prefix", std::move(prefix) } }; }

class AwsSts : public testing::Test, public IssuerTarget {
protected:
    JsonObject provider() override
    {
        return { { "endpoint", sts.url() }, { "role", "arn:aws:iam::123456789012:role/training" }, { "region", "eu-central-1" },
            { "audience", "sts.example" }, { "ca_file", "" }, { "store_endpoint", "http://127.0.0.1:9" }, { "session_tags", tags },
            { "through", through } };
    }
    Access granted() override { return { "read", place("genomes", "public/v2") }; }

    Recipient recipient(Timestamp expires) override
    {
        auto const assertion = [this](std::string audience, JsonObject claims) -> Result<SecretText> {
            claims.insert({ { "iss", "https://authority.example" }, { "sub", workload }, { "aud", std::move(audience) },
                { "exp", to_unix_seconds(clock.now() + std::chrono::minutes(5)) } });
            return SecretText(TRY(crypto::sign_jwt(claims, "key", "JWT", key, crypto::Algorithm::rs256)));
        };
        return { workload, "run-aaaaaaaaaaaaaaaaaaaa", purpose, expires, assertion };
    }

    std::set<std::string> probe(Credential const& credential) override
    {
        std::set<std::string> can;
        auto const arn = std::string(bucket_arn);
        for (auto const* object : { "/public/v2", "/public/v2/a", "/public/v22", "/public/a", "/private/a" }) {
            for (auto const* action : { "s3:GetObject", "s3:PutObject", "s3:DeleteObject" }) {
                if (sts.allows(credential.id, action, arn + object))
                    can.insert(std::string(action) + " " + object);
            }
        }
        if (sts.allows(credential.id, "s3:GetObject", "arn:aws:s3:::others/public/v2/a"))
            can.insert("another bucket");
        for (auto const* prefix : { "public/v2/", "public/v2/x/", "public/v2", "public/", "" }) {
            if (sts.allows(credential.id, "s3:ListBucket", arn, prefix))
                can.insert("list " + std::string(prefix));
        }
        return can;
    }
    std::set<std::string> expected() override
    {
        return { "s3:GetObject /public/v2", "s3:GetObject /public/v2/a", "list public/v2/", "list public/v2/x/" };
    }
    Timestamp end_of(CredentialPlan const&, Credential const& credential) override { return sts.sessions.at(credential.id).expires; }

    bool inject(Fault fault, int times) override
    {
        sts.failures = fault == Fault::busy ? times : 0;
        sts.refusal = fault == Fault::refusing && times > 0 ? "AccessDenied" : "";
        sts.overlong = fault == Fault::overlong && times > 0 ? std::chrono::hours(1) : Duration();
        return fault == Fault::busy || fault == Fault::refusing || fault == Fault::overlong;
    }
    std::size_t requests() override { return sts.requests; }

    Result<Credential> assume(std::vector<Access> const& accesses, Duration lifetime = std::chrono::hours(1))
    {
        return loop.run(issuer->create(issuer->plan(provider(), accesses).value(), recipient(clock.now() + lifetime)));
    }

    net::EventLoop loop;
    SystemClock clock;
    crypto::PrivateKey const key = crypto::PrivateKey::generate(crypto::KeyType::rsa).value();
    StsDouble sts { loop, key.public_key(), clock };
    bool tags = false;
    std::string through;
    std::string purpose = "train";
    std::unique_ptr<CredentialIssuer> issuer = create_aws_sts_issuer(clock, { .pause_first = std::chrono::milliseconds(1) });
};

// Breaks the rules, one at a time.
class Tampering final : public CredentialIssuer {
public:
    enum class Crime { too_wide, too_long, any_action, secret_in_variable, no_end };
    Tampering(CredentialIssuer& honest, Crime crime)
        : honest_(honest)
        , crime_(crime)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override
    {
        std::vector<Access> changed(accesses.begin(), accesses.end());
        for (auto& access : changed) {
            if (crime_ == Crime::too_wide)
                access.resource["prefix"] = "public";
            if (crime_ == Crime::any_action)
                access.action = "read";
        }
        return honest_.plan(provider, changed);
    }

    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override
    {
        if (crime_ == Crime::too_long)
            recipient.expires += std::chrono::hours(1);
        auto created = co_await honest_.create(std::move(plan), std::move(recipient));
        if (created.is_ok() && crime_ == Crime::secret_in_variable)
            created->environment["LEAK"] = parse_json_object(created->document.reveal())->at("SecretAccessKey").as_string();
        if (created.is_ok() && crime_ == Crime::no_end)
            created->expires.reset();
        co_return created;
    }

private:
    CredentialIssuer& honest_;
    Crime crime_;
};

} // namespace

TEST_F(AwsSts, conforms)
{
    EXPECT_EQ(IssuerConformance(loop, *issuer, *this, clock).run(), std::vector<std::string>());
}

TEST_F(AwsSts, a_twin_that_breaks_a_rule_does_not_conform)
{
    using enum Tampering::Crime;
    for (auto const crime : { too_wide, too_long, any_action, secret_in_variable, no_end }) {
        Tampering twin(*issuer, crime);
        EXPECT_FALSE(IssuerConformance(loop, twin, *this, clock).run().empty()) << static_cast<int>(crime);
    }
}

TEST_F(AwsSts, one_session_reads_the_data_and_writes_the_checkpoints_and_nothing_else)
{
    auto const session = assume({ { "train", place("genomes", "public") }, { "write", place("runs", "7") } }).value();
    auto const can = [&](std::string const& action, std::string const& arn) { return sts.allows(session.id, action, arn); };
    EXPECT_TRUE(can("s3:GetObject", "arn:aws:s3:::genomes/public/a") && can("s3:PutObject", "arn:aws:s3:::runs/7/model") && can("s3:GetObject", "arn:aws:s3:::runs/7/model"));
    EXPECT_FALSE(can("s3:PutObject", "arn:aws:s3:::genomes/public/a") || can("s3:PutObject", "arn:aws:s3:::runs/70/model") || can("s3:DeleteBucket", "arn:aws:s3:::runs"));
    EXPECT_FALSE(sts.allows(session.id, "s3:ListBucket", "arn:aws:s3:::runs", "public/"));
    EXPECT_TRUE(sts.allows(session.id, "s3:ListBucket", "arn:aws:s3:::runs", "7/"));
}

TEST_F(AwsSts, asks_as_its_run_and_tags_who_it_is)
{
    auto const untagged = assume({ granted() }).value();
    EXPECT_EQ(sts.sessions.at(untagged.id).form.get("RoleSessionName"), "run-aaaaaaaaaaaaaaaaaaaa");
    EXPECT_EQ(sts.sessions.at(untagged.id).claims.at("sub").as_string(), workload);
    EXPECT_FALSE(sts.sessions.at(untagged.id).claims.contains("https://aws.amazon.com/tags"));
    tags = true;
    auto const tagged = assume({ granted() }).value();
    auto const& told = sts.sessions.at(tagged.id).claims.at("https://aws.amazon.com/tags").at("principal_tags");
    EXPECT_EQ(to_text(told), R"({"workload":["spiffe://acme.ai/ml/train"],"run":["run-aaaaaaaaaaaaaaaaaaaa"],"purpose":["train"]})");
    purpose = "train; evaluate";
    EXPECT_EQ(assume({ granted() }).error().code, ErrorCode::invalid_argument);
}

TEST_F(AwsSts, assumes_a_role_out_of_the_session_of_another_which_can_do_nothing_else)
{
    through = "arn:aws:iam::210987654321:role/hub";
    EXPECT_EQ(IssuerConformance(loop, *issuer, *this, clock).run(), std::vector<std::string>());
    sts.sessions.clear();
    auto const session = assume({ granted() }, std::chrono::hours(2)).value();
    EXPECT_EQ(*session.expires - clock.now() > std::chrono::hours(1), false);
    ASSERT_EQ(sts.sessions.size(), 2U);
    auto const& chained = sts.sessions.at(session.id);
    EXPECT_EQ(chained.form.get("Action"), "AssumeRole");
    EXPECT_EQ(chained.form.get("RoleArn"), "arn:aws:iam::123456789012:role/training");
    auto const& [hub, first] = sts.sessions.begin()->first == session.id ? *sts.sessions.rbegin() : *sts.sessions.begin();
    EXPECT_EQ(first.form.get("RoleArn"), through);
    EXPECT_TRUE(sts.allows(hub, "sts:AssumeRole", "arn:aws:iam::123456789012:role/training"));
    EXPECT_FALSE(sts.allows(hub, "sts:AssumeRole", "arn:aws:iam::123456789012:role/admin"));
    EXPECT_FALSE(sts.allows(hub, "s3:GetObject", "arn:aws:s3:::genomes/public/v2/a"));
}

TEST_F(AwsSts, tries_again_while_sts_is_at_fault_and_not_when_it_refuses)
{
    sts.failures = 2;
    EXPECT_TRUE(assume({ granted() }).is_ok());
    EXPECT_EQ(sts.requests, 3U);
    sts.failures = 3;
    EXPECT_EQ(assume({ granted() }).error().code, ErrorCode::unavailable);
    sts.failures = 0;
    sts.requests = 0;
    sts.refusal = "AccessDenied";
    auto const refused = assume({ granted() });
    EXPECT_EQ(refused.error(), Error(ErrorCode::permission_denied, "assume role: STS answered 403 `AccessDenied`: not <you>"));
    EXPECT_EQ(sts.requests, 1U);
}

TEST_F(AwsSts, hands_on_no_session_that_lives_longer_than_it_may)
{
    sts.overlong = std::chrono::hours(1);
    EXPECT_EQ(assume({ granted() }).error().code, ErrorCode::unavailable);
    sts.overlong = {};
    EXPECT_EQ(assume({ granted() }, std::chrono::minutes(14)).error().code, ErrorCode::permission_denied);
    EXPECT_TRUE(assume({ granted() }, std::chrono::minutes(15)).is_ok());
}

TEST_F(AwsSts, a_secret_crosses_no_network_in_the_clear)
{
    EXPECT_TRUE(check_token_service("https://sts.eu-central-1.amazonaws.com").is_ok());
    EXPECT_TRUE(check_token_service("http://127.0.0.1:7480").is_ok());
    for (auto const* endpoint : { "http://sts.example:80", "http://10.0.0.1:80", "http://127.evil.example:80", "ftp://127.0.0.1:1", "sts.example", "" })
        EXPECT_TRUE(check_token_service(endpoint).is_error()) << endpoint;
}

TEST(SessionPolicy, refuses_what_a_policy_would_read_as_a_pattern)
{
    for (auto const* prefix : { "a*", "a?", "${aws:username}", "/a", "a/", "a//b", "a b", "a\"b", "a\nb" })
        EXPECT_TRUE(parse_s3_place(place("bucket", prefix)).is_error()) << prefix;
    for (auto const* bucket : { "", "ab", "*", "Bucket", "a/b", ".bucket" })
        EXPECT_TRUE(parse_s3_place(place(bucket, "a")).is_error()) << bucket;
    EXPECT_TRUE(parse_s3_place(place("bucket", "a/b=c/d.e")).is_ok());
}

TEST(SessionPolicy, is_refused_when_it_is_longer_than_sts_takes)
{
    std::vector<S3Access> accesses;
    for (int i = 0; i < 20; ++i)
        accesses.push_back({ { "bucket-" + std::to_string(i), "some/prefix" }, false });
    EXPECT_EQ(session_policy("aws", accesses).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(session_policy("aws-cn", std::vector<S3Access> { { { "bucket", "" }, false } }).value(),
        R"({"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:GetObjectVersion"],"Resource":["arn:aws-cn:s3:::bucket/*"]},)"
        R"({"Effect":"Allow","Action":["s3:ListBucket"],"Resource":["arn:aws-cn:s3:::bucket"]}]})");
}

TEST(SessionPolicy, takes_the_partition_from_the_role)
{
    EXPECT_EQ(partition_of_role("arn:aws-us-gov:iam::123456789012:role/a").value(), "aws-us-gov");
    EXPECT_EQ(partition_of_role("arn:aws:iam:::role/writ").value(), "aws");
    for (auto const* arn : { "", "arn:aws:iam::1:user/a", "arn:aws:iam::1:role/", "arn:\"*\":iam::1:role/a", "arn:aws:s3::1:role/a" })
        EXPECT_TRUE(partition_of_role(arn).is_error()) << arn;
}

TEST(StsAnswer, refuses_what_is_not_one_whole_session)
{
    std::string const good = "<R><C><AccessKeyId>A</AccessKeyId><SecretAccessKey>B&amp;</SecretAccessKey><SessionToken>C</SessionToken>"
                             "<Expiration>2026-11-26T18:00:00Z</Expiration></C></R>";
    EXPECT_EQ(parse_sts_credentials(good).value().secret_access_key.reveal(), "B&");
    auto const changed = [&good](std::string_view from, std::string_view to) { return std::string(good).replace(good.find(from), from.size(), to); };
    for (auto const& bad : { changed("<R>", "<!DOCTYPE a><R>"), changed("&amp;", "&x;"), changed("</C>", ""), changed(">A<", "><"), changed(">A<", ">A\n<"),
             changed("</R>", "<AccessKeyId>Z</AccessKeyId></R>"), changed("2026-11-26T18:00:00Z", "soon"), good.substr(0, good.size() - 1), std::string() })
        EXPECT_TRUE(parse_sts_credentials(bad).is_error()) << bad;
    EXPECT_EQ(parse_sts_error("<html>").code, "");
}
