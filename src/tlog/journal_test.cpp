// SPDX-License-Identifier: Apache-2.0
#include "tlog/journal.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

void add_group(Bytes& segment, std::uint64_t first, std::vector<std::string> const& records)
{
    std::vector<BytesView> views;
    for (auto const& record : records)
        views.push_back(as_bytes(record));
    auto const group = Group::encode(first, views);
    segment.insert(segment.end(), group->bytes().begin(), group->bytes().end());
}

// A segment of groups of one, two, three… records, and where each group ends.
struct Sample {
    Bytes bytes = encode_segment_head(0);
    std::vector<std::size_t> ends { bytes.size() };
    std::vector<std::uint64_t> counts { 0 };

    explicit Sample(std::uint64_t groups)
    {
        for (std::uint64_t group = 1; group <= groups; ++group) {
            std::vector<std::string> records;
            for (std::uint64_t i = 0; i < group; ++i)
                records.push_back("entry " + std::to_string(counts.back() + i));
            add_group(bytes, counts.back(), records);
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
        ASSERT_EQ(parsed->end, whole == 0 ? 0 : sample.counts[static_cast<std::size_t>(whole) - 1]) << size;
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
    std::vector<std::string> const last = { std::string(3000, 'x'), std::string(500, 'y') };
    add_group(bytes, 6, last);
    for (std::size_t sector = whole.ends.back() / 512; sector * 512 < bytes.size(); ++sector) {
        auto torn = bytes;
        for (auto position = std::max(sector * 512, whole.ends.back()); position < std::min(torn.size(), (sector + 1) * 512); ++position)
            torn[position] = 0;
        auto const parsed = parse_segment(torn, 0, true);
        ASSERT_TRUE(parsed.is_ok()) << sector;
        EXPECT_EQ(parsed->end, 6U);
        EXPECT_EQ(parse_segment(torn, 0, false).error().code, ErrorCode::corruption);
        // Another group behind it was written after a sync of this one, so this one was whole once. A head that is gone hides what follows.
        add_group(torn, 8, last);
        EXPECT_EQ(parse_segment(torn, 0, true).is_error(), sector * 512 >= whole.ends.back()) << sector;
    }
}

// Zeros written ahead are no records, however many, in any segment; and no place to hide one that was altered.
TEST(JournalSegment, ends_where_its_zeros_begin)
{
    Sample const sample(4);
    for (std::size_t const ahead : { 1, 27, 28, 29, 511, 4096 }) {
        auto bytes = sample.bytes;
        bytes.resize(bytes.size() + ahead);
        for (auto const is_last : { true, false }) {
            auto const parsed = parse_segment(bytes, 0, is_last);
            ASSERT_TRUE(parsed.is_ok()) << ahead;
            EXPECT_EQ(parsed->whole, sample.bytes.size());
        }
        for (std::size_t position = 0; position < sample.bytes.size(); ++position) {
            bytes[position] ^= 1U;
            ASSERT_TRUE(parse_segment(bytes, 0, true).is_error()) << position << " before " << ahead;
            bytes[position] ^= 1U;
        }
        bytes[sample.bytes.size() + ahead / 2] = 1;
        EXPECT_TRUE(parse_segment(bytes, 0, false).is_error()) << ahead;
    }
}

// Power loss while a group is written over the zeros: any of its sectors may not have got there.
TEST(JournalSegment, a_last_group_torn_within_the_zeros_is_cut_off)
{
    Sample const whole(3);
    auto bytes = whole.bytes;
    add_group(bytes, 6, { std::string(3000, 'x'), std::string(500, 'y') });
    auto const end = bytes.size();
    bytes.resize(64U << 10U);
    for (std::size_t sector = whole.ends.back() / 512; sector * 512 < end; ++sector) {
        auto torn = bytes;
        for (auto position = std::max(sector * 512, whole.ends.back()); position < std::min(end, (sector + 1) * 512); ++position)
            torn[position] = 0;
        auto const parsed = parse_segment(torn, 0, true);
        ASSERT_TRUE(parsed.is_ok()) << sector;
        EXPECT_EQ(parsed->end, 6U);
    }
}

} // namespace
} // namespace writ::tlog
