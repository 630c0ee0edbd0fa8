// SPDX-License-Identifier: Apache-2.0
#include "audit/index.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace writ;
using namespace writ::audit;

namespace {

Record record_of(RecordType type, std::string run, std::optional<RecordedEntity> resource, std::string lease = "")
{
    Record record;
    record.type = type;
    record.workload = "spiffe://acme.ai/x";
    record.workload_name = "x";
    record.run = std::move(run);
    record.resource = std::move(resource);
    record.allowed = type == RecordType::decision ? std::optional(true) : std::nullopt;
    if (!lease.empty())
        record.credential = RecordedCredential { "postgres_role", "writ_a", "SELECT", std::move(lease), std::nullopt };
    return record;
}

class IndexTest : public testing::Test {
protected:
    IndexTest()
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-index-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        index_ = Index::open(folder_ / "index.db").value();
    }
    ~IndexTest() override { std::filesystem::remove_all(folder_); }

    Path folder_;
    std::unique_ptr<Index> index_;
};

RecordedEntity const biopsies { "Dataset", "oncology/biopsies", "", "" };

} // namespace

TEST_F(IndexTest, finds_records_by_what_is_asked)
{
    index_
        ->add(0,
            { record_of(RecordType::startup, "", std::nullopt), record_of(RecordType::decision, "run-a", biopsies),
                record_of(RecordType::issuance, "run-a", biopsies, "lease-a"),
                record_of(RecordType::decision, "run-b", RecordedEntity { "Dataset", "other", "", "" }),
                record_of(RecordType::revocation, "run-a", biopsies, "lease-a") })
        .value();
    EXPECT_EQ(index_->next().value(), 5U);
    using Found = std::vector<std::uint64_t>;
    EXPECT_EQ(index_->find({}).value(), (Found { 4, 3, 2, 1, 0 }));
    EXPECT_EQ(index_->find({ .run = "run-a" }).value(), (Found { 4, 2, 1 }));
    EXPECT_EQ(index_->find({ .type = RecordType::decision, .resource = "Dataset::oncology/biopsies" }).value(), (Found { 1 }));
    EXPECT_EQ(index_->find({ .workload = "x", .before = 2, .limit = 1 }).value(), (Found { 1 }));
    EXPECT_EQ(index_->find({ .run = "' OR 1=1 --" }).value(), Found {});
    EXPECT_EQ(index_->issuances_for("Dataset", "oncology/biopsies", 10).value(), (Found { 2 }));
    EXPECT_EQ(index_->revocation_of("lease-a").value(), std::optional<std::uint64_t>(4));
    EXPECT_EQ(index_->revocation_of("lease-b").value(), std::nullopt);
}

TEST_F(IndexTest, is_begun_anew_when_it_is_no_index)
{
    index_->add(0, { record_of(RecordType::startup, "", std::nullopt) }).value();
    index_.reset();
    ASSERT_TRUE(replace_file(folder_ / "index.db", as_bytes(std::string(5000, 'x'))).is_ok());
    index_ = Index::open(folder_ / "index.db").value();
    EXPECT_EQ(index_->next().value(), 0U);
}
