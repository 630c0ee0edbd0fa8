// SPDX-License-Identifier: Apache-2.0
#include "audit/verification.h"

#include "audit/audit_log.h"

#include <future>
#include <gtest/gtest.h>

namespace writ::audit {
namespace {

constexpr std::uint64_t entries = 600;

class Verification : public testing::Test {
protected:
    Verification()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-verify-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    ~Verification() override { std::filesystem::remove_all(folder_); }

    std::unique_ptr<AuditLog> open() const
    {
        return AuditLog::open({ .folder = folder_ / "log", .signer = signer_ }, folder_ / "index.db", clock_).value();
    }
    void append(AuditLog& log, Record record) const
    {
        record.time = clock_.now();
        std::promise<void> done;
        log.append(record, [&done](Result<std::uint64_t> const& appended) {
            EXPECT_TRUE(appended.is_ok());
            done.set_value();
        });
        done.get_future().wait();
    }
    // Enough that the journal lets go of the first bundles.
    void fill() const
    {
        Record record;
        record.context_cut = std::string(60'000, 'x');
        record.time = clock_.now();
        auto log = open();
        std::promise<void> last;
        for (std::uint64_t index = 0; index < entries; ++index)
            log->append(record, [&last, index](Result<std::uint64_t> const& appended) {
                EXPECT_TRUE(appended.is_ok());
                if (index + 1 == entries)
                    last.set_value();
            });
        last.get_future().wait();
        log.reset();
        open().reset();
    }
    Result<tlog::FolderReport> verify() const { return verify_audit_log(folder_ / "log", signer_.verifier(), {}); }

    ManualClock clock_ { from_unix_seconds(1'790'000'000) };
    tlog::NoteSigner signer_ { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    Path folder_;
};

} // namespace

TEST_F(Verification, what_was_dropped_is_well_if_a_record_says_so_and_corruption_if_none_does)
{
    fill();
    auto log = open();
    auto const dropped = log->drop_before(entries).value();
    ASSERT_GE(dropped, 256U);
    log.reset();
    auto const unsaid = verify();
    ASSERT_TRUE(unsaid.is_error());
    EXPECT_EQ(unsaid.error().code, ErrorCode::corruption);

    Record record;
    record.type = RecordType::retention;
    record.dropped_before = dropped - 256;
    log = open();
    append(*log, record);
    log.reset();
    EXPECT_TRUE(verify().is_error());

    record.dropped_before = dropped;
    log = open();
    append(*log, record);
    log.reset();
    auto const report = verify();
    ASSERT_TRUE(report.is_ok()) << report.error().message;
    EXPECT_EQ(report->dropped, dropped);
}

TEST_F(Verification, questions_are_answered_from_what_is_left_also_with_a_new_index)
{
    fill();
    auto log = open();
    auto const dropped = log->drop_before(entries).value();
    for (int life = 0; life < 2; ++life) {
        std::promise<Result<std::vector<StoredRecord>>> promise;
        log->query({ .before = dropped + 3, .limit = 10 }, [&promise](Result<std::vector<StoredRecord>> found) { promise.set_value(std::move(found)); });
        auto const found = promise.get_future().get();
        ASSERT_TRUE(found.is_ok()) << found.error().message;
        ASSERT_EQ(found->size(), 3U);
        EXPECT_EQ(found->back().sequence, dropped);
        log.reset();
        for (auto const* ending : { "", "-wal", "-shm" })
            std::filesystem::remove(folder_ / (std::string("index.db") + ending));
        log = open();
    }
}

} // namespace writ::audit
