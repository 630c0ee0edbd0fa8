// SPDX-License-Identifier: Apache-2.0
#include "authority/credential_source.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

constexpr std::string_view cloud = R"(kind: CredentialProvider
name: store
type: aws_sts
role: arn:aws:iam::123456789012:role/training
region: eu-central-1
---
kind: Dataset
name: genomes
location: s3://genomes/public/v2/
purpose: [train]
credential: store
)";

std::shared_ptr<Snapshot const> compile(std::string_view text, std::vector<Problem>& problems)
{
    return compile_snapshot(1, split_documents({ { "cloud.yaml", std::string(text) } }, problems), "acme.ai", problems);
}

std::string problem_of(std::string_view from, std::string_view to)
{
    std::string text(cloud);
    text.replace(text.find(from), from.size(), to);
    std::vector<Problem> problems;
    compile(text, problems);
    return problems.empty() ? "" : problems.front().message;
}

TEST(CredentialSource, is_what_the_declarations_say_in_the_words_of_the_issuer)
{
    std::vector<Problem> problems;
    auto const snapshot = compile(cloud, problems);
    ASSERT_TRUE(snapshot) << to_string(problems.front());
    auto const source = source_of(*snapshot, { "Dataset", "genomes" });
    ASSERT_TRUE(source);
    EXPECT_EQ(source->provider->lifetime, std::chrono::hours(1));
    EXPECT_EQ(source->settings.at("endpoint").as_string(), "https://sts.eu-central-1.amazonaws.com");
    EXPECT_EQ(writ::to_text(JsonValue(source->resource)), R"({"bucket":"genomes","prefix":"public/v2"})");
    EXPECT_FALSE(source_of(*snapshot, { "Dataset", "other" }));
    EXPECT_FALSE(source_of(*snapshot, { "Model", "genomes" }));
}

TEST(CredentialSource, what_sts_would_refuse_is_refused_when_it_is_declared)
{
    EXPECT_NE(problem_of("s3://genomes/public/v2/", "gs://genomes/public"), "");
    EXPECT_NE(problem_of("s3://genomes/public/v2/", "s3://genomes/public/*"), "");
    EXPECT_NE(problem_of("s3://genomes/public/v2/", "s3://genomes/${aws:username}"), "");
    EXPECT_NE(problem_of("role/training", "user/training"), "");
    EXPECT_NE(problem_of("region: eu-central-1", "region: eu-central-1\nlifetime: 5m"), "");
    EXPECT_NE(problem_of("region: eu-central-1", "region: eu-central-1\nlifetime: 13h"), "");
    EXPECT_NE(problem_of("region: eu-central-1", "region: eu-central-1\nendpoint: http://sts.example:80"), "");
    EXPECT_NE(problem_of("region: eu-central-1", "region: eu-central-1\nsession_tags: maybe"), "");
    EXPECT_EQ(problem_of("region: eu-central-1", "region: eu-central-1\nsession_tags: true\nlifetime: 15m"), "");
    EXPECT_NE(problem_of("region: eu-central-1", "region: eu-central-1\nthrough: training"), "");
    EXPECT_NE(problem_of("region: eu-central-1", "region: eu-central-1\nthrough: arn:aws:iam::1:role/hub\nlifetime: 2h"), "");
    EXPECT_EQ(problem_of("region: eu-central-1", "region: eu-central-1\nthrough: arn:aws:iam::1:role/hub\nlifetime: 1h"), "");
    EXPECT_EQ(problem_of("s3://genomes/public/v2/", "s3://genomes"), "");
}

constexpr std::string_view google = R"(kind: CredentialProvider
name: store
type: gcp_sts
workload_identity_provider: projects/123456789/locations/global/workloadIdentityPools/writ/providers/authority
service_account: trainer@acme-ml.iam.gserviceaccount.com
---
kind: Dataset
name: genomes
location: gs://genomes/public/v2/
purpose: [train]
credential: store
)";

std::string google_problem_of(std::string_view from, std::string_view to)
{
    std::string text(google);
    text.replace(text.find(from), from.size(), to);
    std::vector<Problem> problems;
    compile(text, problems);
    return problems.empty() ? "" : problems.front().message;
}

TEST(CredentialSource, of_google_knows_the_real_endpoints_and_takes_others)
{
    std::vector<Problem> problems;
    auto const snapshot = compile(google, problems);
    ASSERT_TRUE(snapshot) << to_string(problems.front());
    auto const source = source_of(*snapshot, { "Dataset", "genomes" });
    ASSERT_TRUE(source);
    EXPECT_EQ(source->settings.at("sts_endpoint").as_string(), "https://sts.googleapis.com");
    EXPECT_EQ(source->settings.at("iam_endpoint").as_string(), "https://iamcredentials.googleapis.com");
    EXPECT_EQ(source->settings.at("project").as_string(), "acme-ml");
    EXPECT_EQ(source->settings.at("audience").as_string(),
        "https://iam.googleapis.com/projects/123456789/locations/global/workloadIdentityPools/writ/providers/authority");
    EXPECT_EQ(writ::to_text(JsonValue(source->resource)), R"({"bucket":"genomes","prefix":"public/v2"})");
    EXPECT_EQ(google_problem_of("type: gcp_sts", "type: gcp_sts\nsts_endpoint: http://127.0.0.1:80"), "");
}

TEST(CredentialSource, what_google_would_refuse_is_refused_when_it_is_declared)
{
    EXPECT_NE(google_problem_of("gs://genomes/public/v2/", "s3://genomes/public"), "");
    EXPECT_NE(google_problem_of("gs://genomes/public/v2/", "gs://genomes/pub'lic"), "");
    EXPECT_NE(google_problem_of("trainer@acme-ml.iam.gserviceaccount.com", "trainer@acme.example"), "");
    EXPECT_NE(google_problem_of("/providers/authority", ""), "");
    EXPECT_NE(google_problem_of("projects/123456789", "projects/acme"), "");
    EXPECT_NE(google_problem_of("type: gcp_sts", "type: gcp_sts\nsts_endpoint: http://sts.example:80"), "");
    EXPECT_NE(google_problem_of("type: gcp_sts", "type: gcp_sts\nlifetime: 9m"), "");
    EXPECT_NE(google_problem_of("type: gcp_sts", "type: gcp_sts\nrole: arn"), "");
}

constexpr std::string_view azure = R"(kind: CredentialProvider
name: store
type: azure_entra
tenant: acme.onmicrosoft.com
client_id: 11111111-2222-3333-4444-555555555555
---
kind: Dataset
name: genomes
location: https://acme.blob.core.windows.net/genomes/public/v2/
purpose: [train]
credential: store
)";

std::string azure_problem_of(std::string_view from, std::string_view to)
{
    std::string text(azure);
    text.replace(text.find(from), from.size(), to);
    std::vector<Problem> problems;
    compile(text, problems);
    return problems.empty() ? "" : problems.front().message;
}

TEST(CredentialSource, of_azure_is_an_application_and_a_container)
{
    std::vector<Problem> problems;
    auto const snapshot = compile(azure, problems);
    ASSERT_TRUE(snapshot) << to_string(problems.front());
    auto const source = source_of(*snapshot, { "Dataset", "genomes" });
    ASSERT_TRUE(source);
    EXPECT_EQ(source->settings.at("endpoint").as_string(), "https://login.microsoftonline.com");
    EXPECT_EQ(source->settings.at("scope").as_string(), "https://storage.azure.com/.default");
    EXPECT_EQ(writ::to_text(JsonValue(source->resource)), R"({"account":"acme.blob.core.windows.net","bucket":"genomes","prefix":"public/v2"})");
    EXPECT_EQ(azure_problem_of("https://acme.blob.core.windows.net/genomes/public/v2/", "abfss://genomes@acme.dfs.core.windows.net/public"), "");
    EXPECT_NE(azure_problem_of("https://acme.blob.core.windows.net/genomes/public/v2/", "abfss://acme.dfs.core.windows.net/public"), "");
    EXPECT_NE(azure_problem_of("https://acme.blob.core.windows.net/genomes/public/v2/", "https://acme.blob.core.windows.net/"), "");
    EXPECT_NE(azure_problem_of("https://acme.blob", "gs://acme.blob"), "");
    EXPECT_NE(azure_problem_of("-555555555555", ""), "");
    EXPECT_NE(azure_problem_of("acme.onmicrosoft.com", "a/b"), "");
    EXPECT_NE(azure_problem_of("type: azure_entra", "type: azure_entra\nscope: openid"), "");
    EXPECT_NE(azure_problem_of("type: azure_entra", "type: azure_entra\naccess: all"), "");
    EXPECT_NE(azure_problem_of("type: azure_entra", "type: azure_entra\nlifetime: 5m"), "");
    EXPECT_EQ(azure_problem_of("type: azure_entra", "type: azure_entra\naccess: write"), "");
}

} // namespace
} // namespace writ::authority
