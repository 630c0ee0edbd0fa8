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

} // namespace
} // namespace writ::authority
