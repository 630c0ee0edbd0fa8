// SPDX-License-Identifier: Apache-2.0
#include "tlog/segment_file.h"

#include <algorithm>
#include <fcntl.h>
#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

// Of a length that is no multiple of anything, and nowhere zero.
Bytes some_bytes(std::size_t size, std::size_t seed)
{
    Bytes bytes(size);
    for (std::size_t i = 0; i < size; ++i)
        bytes[i] = static_cast<std::uint8_t>(1 + (seed * 131 + i * 7) % 255);
    return bytes;
}

class SegmentFileTest : public testing::Test {
protected:
    SegmentFileTest()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-segment-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    ~SegmentFileTest() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] Path file() const { return folder / "segment"; }
    [[nodiscard]] Bytes contents() const { return read_file(file()).value(); }

    UniqueFd zeros(std::size_t length) const
    {
        UniqueFd fd(::open(file().c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        Bytes const bytes(length);
        EXPECT_EQ(::pwrite(fd.get(), bytes.data(), length, 0), static_cast<ssize_t>(length));
        return fd;
    }
    // What was appended, and zeros behind it.
    void expect_holds(BytesView appended) const
    {
        auto const there = contents();
        ASSERT_GE(there.size(), appended.size());
        EXPECT_TRUE(std::ranges::equal(BytesView(there).first(appended.size()), appended));
        EXPECT_TRUE(std::ranges::all_of(BytesView(there).subspan(appended.size()), [](auto byte) { return byte == 0; }));
    }
    // A file of ours, whose direct writes go where they fail.
    std::unique_ptr<SegmentFile> with_direct_writes_to(char const* other, int flags) const
    {
        UniqueFd direct(::open(other, flags | O_CLOEXEC));
        EXPECT_TRUE(direct.is_open()) << other;
        return std::make_unique<SegmentFile>(file(), zeros(file_bytes), BlockWriter(std::move(direct), 0, {}), 0, file_bytes);
    }
    static constexpr std::size_t file_bytes = 64U << 10U;

    Path folder;
};

TEST_F(SegmentFileTest, appends_of_any_size_stand_behind_each_other)
{
    constexpr std::size_t sizes[] = { 1, 4095, 1, 4096, 4097, 438, 8192, 1, 12'288 + 4095, 100, 70'000, 3, 2U << 20U, 5, 300'000 };
    Bytes appended;
    for (auto const is_reopened : { false, true }) {
        std::filesystem::remove(file());
        appended.clear();
        auto segment = SegmentFile::open(file(), 0).value();
        for (auto const size : sizes) {
            auto const bytes = some_bytes(size, appended.size());
            ASSERT_TRUE(segment->append(bytes).is_ok());
            appended.insert(appended.end(), bytes.begin(), bytes.end());
            EXPECT_EQ(segment->size(), appended.size());
            expect_holds(appended);
            if (is_reopened) {
                segment.reset();
                EXPECT_EQ(contents(), appended) << "the zeros are cut off";
                segment = SegmentFile::open(file(), appended.size()).value();
            }
        }
    }
}

TEST_F(SegmentFileTest, over_zeros_it_writes_past_the_cache_where_the_file_system_does_that)
{
    auto const fd = zeros(file_bytes);
    auto blocks = BlockWriter::open(file(), fd.get(), 0);
    if (!blocks.can_append(1, file_bytes))
        GTEST_SKIP() << "no direct writes to files in " << folder;
    Bytes appended;
    for (std::size_t size = 1; blocks.can_append(size, file_bytes); size += 613) {
        auto const bytes = some_bytes(size, size);
        ASSERT_TRUE(blocks.append(bytes).is_ok());
        blocks.passed(bytes);
        appended.insert(appended.end(), bytes.begin(), bytes.end());
        expect_holds(appended);
    }
    EXPECT_GT(appended.size(), file_bytes / 2);
    EXPECT_EQ(contents().size(), file_bytes) << "it is no longer than it was";
    EXPECT_FALSE(blocks.can_append(file_bytes, file_bytes)) << "beyond the end";
    EXPECT_FALSE(blocks.can_append(std::size_t(8) << 20U, std::uint64_t(1) << 40U)) << "more memory than it may keep";
}

TEST_F(SegmentFileTest, a_name_that_is_another_files_is_not_written_to)
{
    auto const fd = zeros(file_bytes);
    std::filesystem::rename(file(), folder / "renamed");
    auto const other = zeros(file_bytes);
    EXPECT_FALSE(BlockWriter::open(file(), fd.get(), 0).can_append(1, file_bytes));
    EXPECT_FALSE(BlockWriter::open(folder / "missing", fd.get(), 0).can_append(1, file_bytes));
}

// What Linux says where blocks are larger, or of a file system that has no direct writes after all.
TEST_F(SegmentFileTest, where_no_direct_write_is_taken_the_cache_takes_it)
{
    auto const segment = with_direct_writes_to("/proc/self/oom_score_adj", O_WRONLY); // EINVAL, whatever is written
    Bytes appended;
    for (std::size_t i = 0; i < 3; ++i) {
        auto const bytes = some_bytes(5000, i);
        ASSERT_TRUE(segment->append(bytes).is_ok());
        appended.insert(appended.end(), bytes.begin(), bytes.end());
        expect_holds(appended);
    }
    EXPECT_FALSE(segment->is_refusing());
}

TEST_F(SegmentFileTest, a_full_disk_leaves_nothing_of_an_append_and_later_ones_work)
{
    auto segment = with_direct_writes_to("/dev/full", O_WRONLY); // ENOSPC
    EXPECT_EQ(segment->append(some_bytes(5000, 1)).error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(contents(), Bytes());
    EXPECT_FALSE(segment->is_refusing());
    auto const bytes = some_bytes(300, 2);
    ASSERT_TRUE(segment->append(bytes).is_ok()); // grows, so the cache takes it
    expect_holds(bytes);
    EXPECT_EQ(segment->append(some_bytes(5000, 3)).error().code, ErrorCode::resource_exhausted);
    segment.reset();
    EXPECT_EQ(contents(), bytes);
}

TEST_F(SegmentFileTest, after_a_write_with_an_unknown_outcome_it_refuses)
{
    auto const segment = with_direct_writes_to("/dev/null", O_RDONLY); // EBADF
    EXPECT_EQ(segment->append(some_bytes(5000, 1)).error().code, ErrorCode::unavailable);
    EXPECT_TRUE(segment->is_refusing());
    EXPECT_EQ(segment->append(some_bytes(1, 2)).error().code, ErrorCode::unavailable);
    EXPECT_EQ(segment->size(), 0U);
}

TEST_F(SegmentFileTest, a_file_cut_or_extended_beneath_it_takes_nothing)
{
    for (auto const length : { std::size_t(0), std::size_t(4096), file_bytes + 1 }) {
        auto const segment = SegmentFile::adopt(file(), zeros(file_bytes), file_bytes);
        ASSERT_TRUE(segment->append(some_bytes(5000, 1)).is_ok());
        std::filesystem::resize_file(file(), length);
        EXPECT_EQ(segment->append(some_bytes(10, 1)).error().code, ErrorCode::corruption);
        EXPECT_TRUE(segment->is_refusing());
    }
}

} // namespace
} // namespace writ::tlog
