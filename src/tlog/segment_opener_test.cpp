// SPDX-License-Identifier: Apache-2.0
#include "tlog/segment_opener.h"

#include "tlog/journal.h"

#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

constexpr std::size_t segment_bytes = 16U << 10U;

class SegmentOpenerTest : public testing::Test {
protected:
    SegmentOpenerTest()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-segments-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    ~SegmentOpenerTest() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] Path spare() const { return folder / "spare"; }
    void wait_for_spare() const
    {
        std::error_code error;
        while (std::filesystem::file_size(spare(), error) != segment_bytes + segment_bytes / 16)
            std::this_thread::yield();
    }
    static Bytes segment_with_a_record(std::uint64_t first)
    {
        auto bytes = encode_segment_head(first);
        std::array const records { as_bytes("record") };
        auto const group = Group::encode(first, records);
        bytes.insert(bytes.end(), group->bytes().begin(), group->bytes().end());
        return bytes;
    }
    Path folder;
};

TEST_F(SegmentOpenerTest, has_the_next_one_ready_once_one_was_full)
{
    SegmentOpener opener(spare(), segment_bytes);
    auto const first = opener.open(folder / "0", 0).value();
    auto const second = opener.open(folder / "1", 0).value();
    wait_for_spare();
    // The file has its length before it is said to be ready: ask until it was taken.
    std::unique_ptr<Appender> third;
    do
        third = opener.open(folder / "2", 0).value();
    while (std::filesystem::file_size(folder / "2") == 0);
    EXPECT_EQ(third->size(), 0U);
    auto const written = segment_with_a_record(7);
    ASSERT_TRUE(third->append(written).is_ok());
    auto const bytes = read_file(folder / "2").value();
    EXPECT_EQ(bytes.size(), segment_bytes + segment_bytes / 16); // not extended
    auto const parsed = parse_segment(bytes, 7, true).value();
    EXPECT_EQ(parsed.end, 8U);
    EXPECT_EQ(parsed.whole, written.size());
    third.reset();
    EXPECT_EQ(std::filesystem::file_size(folder / "2"), written.size());
}

TEST_F(SegmentOpenerTest, one_that_got_its_name_and_no_record_is_an_empty_segment)
{
    auto const parsed = parse_segment(Bytes(segment_bytes), 7, true).value();
    EXPECT_EQ(parsed.end, 7U);
    EXPECT_EQ(parsed.whole, 0U);
}

TEST_F(SegmentOpenerTest, what_was_there_is_kept_and_the_spare_is_removed)
{
    {
        SegmentOpener opener(spare(), segment_bytes);
        auto const written = segment_with_a_record(0);
        ASSERT_TRUE(opener.open(folder / "0", 0).value()->append(written).is_ok());
        EXPECT_EQ(opener.open(folder / "0", written.size()).value()->size(), written.size());
        auto const next = opener.open(folder / "1", 0).value();
        wait_for_spare();
    }
    EXPECT_FALSE(std::filesystem::exists(spare()));
    EXPECT_TRUE(std::filesystem::exists(folder / "0"));
}

TEST_F(SegmentOpenerTest, where_no_spare_can_be_written_segments_grow)
{
    SegmentOpener opener(folder / "missing" / "spare", segment_bytes);
    for (auto const* const name : { "0", "1", "2" }) {
        auto const segment = opener.open(folder / name, 0).value();
        EXPECT_TRUE(segment->append(segment_with_a_record(0)).is_ok());
    }
}

} // namespace
} // namespace writ::tlog
