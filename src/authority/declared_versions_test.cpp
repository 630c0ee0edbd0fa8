// SPDX-License-Identifier: Apache-2.0
#include "authority/declared_versions.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

std::string const old_digest = "sha256:" + std::string(64, 'a'), new_digest = "sha256:" + std::string(64, 'b');

std::string declared(std::string const& further)
{
    return "kind: Dataset\nname: fraud/transactions\nlocation: s3://fraud\npurpose: [train]\n"
           "versions:\n  - { version: \"6\", digest: \"" + old_digest + "\" }\n  - { version: \"7\", digest: \"" + new_digest + "\" }\n" + further
        + "---\nkind: Model\nname: fraud\nversions: [{ version: v1, digest: \"" + old_digest + "\" }]\n";
}

std::shared_ptr<Snapshot const> snapshot_of(std::string const& yaml, std::vector<Problem>& problems)
{
    auto documents = split_documents({ { "data.yaml", yaml } }, problems);
    return problems.empty() ? compile_snapshot(1, std::move(documents), "example.org", problems) : nullptr;
}

std::string first_problem(std::string const& further)
{
    std::vector<Problem> problems;
    (void)snapshot_of(declared(further), problems);
    return problems.empty() ? "" : problems.front().message;
}

class DeclaredVersions : public testing::Test {
protected:
    std::vector<Problem> problems_;
    std::shared_ptr<Snapshot const> snapshot_ = snapshot_of(declared("current: \"6\"\naliases: { latest: \"7\" }\n"), problems_);
};

} // namespace

TEST_F(DeclaredVersions, an_alias_becomes_the_version_that_it_is_declared_for)
{
    ASSERT_NE(snapshot_, nullptr) << to_string(problems_.front());
    EXPECT_EQ(resolved(*snapshot_, { "DatasetVersion", "fraud/transactions@latest" }).id, "fraud/transactions@7");
    for (auto const* unchanged : { "fraud/transactions@6", "fraud/transactions@newest", "fraud/transactions", "other@latest" })
        EXPECT_EQ(resolved(*snapshot_, { "DatasetVersion", unchanged }).id, unchanged);
    EXPECT_EQ(resolved(*snapshot_, { "ModelVersion", "fraud@latest" }).id, "fraud@latest");
    EXPECT_EQ(resolved(*snapshot_, { "Endpoint", "fraud/transactions@latest" }).id, "fraud/transactions@latest");
}

TEST_F(DeclaredVersions, a_record_has_the_version_that_was_meant_and_its_digest)
{
    ASSERT_NE(snapshot_, nullptr);
    using audit::RecordedEntity;
    EXPECT_EQ(described(*snapshot_, { "DatasetVersion", "fraud/transactions@latest" }),
        (RecordedEntity { "DatasetVersion", "fraud/transactions@7", "7", new_digest, "latest" }));
    EXPECT_EQ(described(*snapshot_, { "Dataset", "fraud/transactions" }), (RecordedEntity { "Dataset", "fraud/transactions", "6", old_digest, "" }));
    EXPECT_EQ(described(*snapshot_, { "ModelVersion", "fraud@v1" }), (RecordedEntity { "ModelVersion", "fraud@v1", "v1", old_digest, "" }));
    EXPECT_EQ(described(*snapshot_, { "ModelVersion", "fraud@v2" }), (RecordedEntity { "ModelVersion", "fraud@v2", "v2", "", "" }));
    EXPECT_EQ(described(*snapshot_, { "Model", "fraud" }), (RecordedEntity { "Model", "fraud", "", "", "" }));
}

TEST_F(DeclaredVersions, are_entities_that_policies_can_ask)
{
    ASSERT_NE(snapshot_, nullptr);
    auto const* const version = snapshot_->entities.find({ "DatasetVersion", "fraud/transactions@7" });
    ASSERT_NE(version, nullptr);
    EXPECT_EQ(version->attributes.at("digest"), cedar::Value(new_digest));
    EXPECT_EQ(version->attributes.at("purpose"), cedar::Value::set_of({ "train" }));
    EXPECT_EQ(version->parents, (std::vector<cedar::EntityUid> { { "Dataset", "fraud/transactions" } }));
    auto const* const model = snapshot_->entities.find({ "ModelVersion", "fraud@v1" });
    ASSERT_NE(model, nullptr);
    EXPECT_EQ(model->attributes.at("signed"), cedar::Value(false));
}

TEST(DeclaredVersionsRead, what_points_nowhere_or_is_no_digest_is_refused)
{
    EXPECT_EQ(first_problem(""), "");
    EXPECT_NE(first_problem("current: \"8\"\n").find("version `8` is not among `versions`"), std::string::npos);
    EXPECT_NE(first_problem("aliases: { latest: \"8\" }\n").find("version `8` is not among `versions`"), std::string::npos);
    EXPECT_NE(first_problem("aliases: { \"6\": \"7\" }\n").find("is a version itself"), std::string::npos);
    std::vector<Problem> problems;
    (void)snapshot_of("kind: Model\nname: m\nversions: [{ version: a@b, digest: md5 }, { version: x, digest: \"" + old_digest
            + "\" }, { version: x, digest: \"" + new_digest + "\" }]\n",
        problems);
    EXPECT_EQ(problems.size(), 3U);
}

} // namespace writ::authority
