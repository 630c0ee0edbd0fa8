// SPDX-License-Identifier: Apache-2.0
#include "tlog/journal.h"

#include "tlog/log_fixture.h"
#include "tlog/log_folder.h"

#include <cerrno>

namespace writ::tlog {
namespace {

EntryPtr entry_of(std::uint64_t index) { return make_entry(to_bytes("entry " + std::to_string(index))); }

// A segment of groups of one, two, three… records, and where each group ends.
struct Sample {
    Bytes bytes = encode_segment_head(0);
    std::vector<std::size_t> ends { bytes.size() };
    std::vector<std::uint64_t> counts { 0 };

    explicit Sample(std::uint64_t groups)
    {
        for (std::uint64_t group = 1; group <= groups; ++group) {
            std::vector<EntryPtr> entries;
            for (std::uint64_t i = 0; i < group; ++i)
                entries.push_back(entry_of(counts.back() + i));
            encode_group(bytes, counts.back(), entries);
            ends.push_back(bytes.size());
            counts.push_back(counts.back() + group);
        }
    }
};

TEST(JournalSegment, cut_anywhere_keeps_every_whole_group_and_nothing_else)
{
    Sample const sample(6);
    for (std::size_t size = 0; size <= sample.bytes.size(); ++size) {
        auto const cut = BytesView(sample.bytes).first(size);
        auto const parsed = parse_segment(cut, 0, true);
        ASSERT_TRUE(parsed.is_ok()) << size << ": " << parsed.error().message;
        auto const whole = std::ranges::upper_bound(sample.ends, size) - sample.ends.begin();
        ASSERT_EQ(parsed->entries.size(), whole == 0 ? 0 : sample.counts[static_cast<std::size_t>(whole) - 1]) << size;
        ASSERT_EQ(parsed->whole, whole == 0 ? 0 : sample.ends[static_cast<std::size_t>(whole) - 1]);
        if (parsed->whole != size) // not the last segment: whoever went on to the next had this one whole
            EXPECT_EQ(parse_segment(cut, 0, false).error().code, ErrorCode::corruption) << size;
    }
}

TEST(JournalSegment, any_byte_altered_is_corruption_and_no_torn_end)
{
    Sample const sample(6);
    for (std::size_t position = 0; position < sample.bytes.size(); ++position)
        for (auto const flip : { 1, 0x80, 0xff }) {
            auto altered = sample.bytes;
            altered[position] = static_cast<std::uint8_t>(altered[position] ^ flip);
            auto const parsed = parse_segment(altered, 0, true);
            ASSERT_EQ(parsed.is_ok() ? ErrorCode::internal : parsed.error().code, ErrorCode::corruption) << position << " " << flip;
        }
}

// What power loss leaves: the file has its new length, and some sectors of the last group did not get to the disk.
TEST(JournalSegment, a_last_group_with_unwritten_sectors_is_torn)
{
    Sample whole(3);
    auto bytes = whole.bytes;
    std::vector<EntryPtr> const last = { make_entry(Bytes(3000, 'x')), make_entry(Bytes(500, 'y')) };
    encode_group(bytes, 6, last);
    for (std::size_t sector = whole.ends.back() / 512; sector * 512 < bytes.size(); ++sector) {
        auto torn = bytes;
        for (auto position = std::max(sector * 512, whole.ends.back()); position < std::min(torn.size(), (sector + 1) * 512); ++position)
            torn[position] = 0;
        auto const parsed = parse_segment(torn, 0, true);
        ASSERT_TRUE(parsed.is_ok()) << sector;
        EXPECT_EQ(parsed->entries.size(), 6U);
        EXPECT_EQ(parse_segment(torn, 0, false).error().code, ErrorCode::corruption);
        // Another group behind it was written after a sync of this one, so this one was whole once. A head that is gone hides what follows.
        encode_group(torn, 8, last);
        EXPECT_EQ(parse_segment(torn, 0, true).is_error(), sector * 512 >= whole.ends.back()) << sector;
    }
}

// The disk as a test sees it. Each append does what the script says, then goes on as it should.
enum class Fault { none, lost, kept, full };

class FaultyAppender final : public Appender {
public:
    FaultyAppender(std::unique_ptr<Appender> file, std::shared_ptr<std::deque<Fault>> script)
        : file_(std::move(file))
        , script_(std::move(script))
    {
    }
    Result<> append(BytesView bytes) override
    {
        if (is_refusing_)
            return unavailable("refuses");
        auto const fault = script_->empty() ? Fault::none : script_->front();
        if (!script_->empty())
            script_->pop_front();
        if (fault == Fault::none)
            return file_->append(bytes);
        if (fault == Fault::full)
            return errno_error("append", ENOSPC);
        is_refusing_ = true;
        if (fault == Fault::kept)
            EXPECT_TRUE(file_->append(bytes).is_ok());
        return errno_error("sync", EIO);
    }
    [[nodiscard]] std::uint64_t size() const override { return file_->size(); }
    [[nodiscard]] bool is_refusing() const override { return is_refusing_; }

private:
    std::unique_ptr<Appender> file_;
    std::shared_ptr<std::deque<Fault>> script_;
    bool is_refusing_ = false;
};

class FaultyLog : public LogFolder {
protected:
    std::unique_ptr<Log> open_with(std::deque<Fault> faults)
    {
        auto const script = std::make_shared<std::deque<Fault>>(std::move(faults));
        return open_log(options(), [script](Path const& path, std::uint64_t size) -> Result<std::unique_ptr<Appender>> {
            return std::unique_ptr<Appender>(std::make_unique<FaultyAppender>(TRY(open_durable_appender(path, size)), script));
        }).value();
    }
};

TEST_F(FaultyLog, a_write_that_was_lost_is_not_there_after_reopening)
{
    auto log = open_with({ Fault::none, Fault::lost });
    ASSERT_EQ(append_and_wait(*log, "first").value(), 0U);
    EXPECT_EQ(append_and_wait(*log, "lost").error().code, ErrorCode::unavailable);
    EXPECT_TRUE(log->is_refusing());
    EXPECT_EQ(append_and_wait(*log, "after it").error().code, ErrorCode::unavailable);
    EXPECT_EQ(log->size(), 1U);
    log.reset();
    log = open_with({});
    EXPECT_EQ(log->size(), 1U);
    EXPECT_EQ(append_and_wait(*log, "second").value(), 1U);
}

TEST_F(FaultyLog, a_write_reported_lost_but_kept_is_a_record_after_reopening)
{
    auto log = open_with({ Fault::none, Fault::kept });
    ASSERT_EQ(append_and_wait(*log, "first").value(), 0U);
    EXPECT_EQ(append_and_wait(*log, "kept").error().code, ErrorCode::unavailable);
    EXPECT_EQ(append_and_wait(*log, "after it").error().code, ErrorCode::unavailable);
    EXPECT_EQ(log->size(), 1U);
    log.reset();
    log = open_with({});
    EXPECT_EQ(log->size(), 2U);
    EXPECT_EQ(as_text(log->read(1).value()), "kept");
    log.reset();
    EXPECT_TRUE(verify().is_ok());
}

TEST_F(FaultyLog, a_full_disk_keeps_nothing_and_is_forgotten_when_it_has_room)
{
    auto const log = open_with({ Fault::full, Fault::none, Fault::full, Fault::full });
    EXPECT_EQ(append_and_wait(*log, "a").error().code, ErrorCode::resource_exhausted);
    EXPECT_FALSE(log->is_refusing());
    EXPECT_EQ(append_and_wait(*log, "b").value(), 0U);
    EXPECT_EQ(append_and_wait(*log, "c").error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(append_and_wait(*log, "c").error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(append_and_wait(*log, "c").value(), 1U);
    ASSERT_TRUE(wait_until_published(*log, 2).is_ok());
    EXPECT_EQ(as_text(log->read(1).value()), "c");
}

// kill -9 before anything was published, at each byte of the journal: what was acknowledged is there, published by the open, and verifies.
TEST_F(FaultyLog, opens_after_a_crash_at_any_byte_of_the_journal)
{
    Sample const sample(4);
    for (std::size_t size = 0; size <= sample.bytes.size(); ++size) {
        std::filesystem::remove_all(log_folder());
        write_file(log_folder() / "journal/00000000000000000000", BytesView(sample.bytes).first(size));
        auto const log = open();
        ASSERT_TRUE(log.is_ok()) << size << ": " << log.error().message;
        auto const whole = static_cast<std::size_t>(std::ranges::upper_bound(sample.ends, size) - sample.ends.begin());
        ASSERT_EQ((*log)->size(), whole == 0 ? 0 : sample.counts[whole - 1]);
        ASSERT_EQ((*log)->latest().size, (*log)->size());
        ASSERT_EQ(append_and_wait(**log, "next").value(), whole == 0 ? 0 : sample.counts[whole - 1]);
    }
    EXPECT_TRUE(verify().is_ok());
}

// Power loss after publication: the tiles had no sync yet. The journal writes them again.
TEST_F(FaultyLog, tiles_that_power_loss_took_are_written_again)
{
    fill(*open().value(), 600);
    std::filesystem::resize_file(log_folder() / "tile/0/001", 0);
    std::filesystem::resize_file(log_folder() / "tile/entries/000", 100);
    std::filesystem::remove_all(log_folder() / "tile/1");
    EXPECT_TRUE(verify().is_error());
    open().value().reset();
    EXPECT_TRUE(verify().is_ok()) << verify().error().message;
}

} // namespace
} // namespace writ::tlog
