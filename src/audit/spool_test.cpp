// SPDX-License-Identifier: Apache-2.0
#include "audit/spool.h"

#include <algorithm>
#include <fstream>
#include <future>
#include <gtest/gtest.h>

namespace writ::audit {
namespace {

class SpoolFolder : public testing::Test {
protected:
    SpoolFolder()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-spool-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder = pattern;
    }
    ~SpoolFolder() override { std::filesystem::remove_all(folder); }

    [[nodiscard]] std::unique_ptr<Spool> open(std::size_t bytes_max = spool_bytes_default) const
    {
        return Spool::open({ .folder = folder / "spool", .bytes_max = bytes_max }).value();
    }
    [[nodiscard]] Path file() const { return folder / "spool" / "records"; }

    static Result<> append(Spool& spool, std::string text, std::uint64_t log_size = 7)
    {
        std::promise<Result<>> promise;
        auto future = promise.get_future();
        spool.append(std::move(text), log_size, [&promise](Result<> result) { promise.set_value(std::move(result)); });
        return future.get();
    }
    static Result<> seal(Spool& spool, std::string text)
    {
        std::promise<Result<>> promise;
        auto future = promise.get_future();
        spool.seal([&text](SpoolContents const& contents) { return text + std::to_string(contents.texts.size()); },
            [&promise](Result<> result) { promise.set_value(std::move(result)); });
        return future.get();
    }
    static std::vector<std::string> texts_of(Spool const& spool)
    {
        std::vector<std::string> texts;
        for (std::size_t i = 0; i < spool.count(); ++i)
            texts.push_back(spool.text(i));
        return texts;
    }
    void write(BytesView bytes) const
    {
        std::ofstream stream(file(), std::ios::binary | std::ios::trunc);
        stream.write(as_text(bytes).data(), static_cast<std::streamsize>(bytes.size()));
    }
    Path folder;
};

TEST_F(SpoolFolder, keeps_its_order_over_restarts_until_it_is_cleared)
{
    {
        auto const spool = open();
        EXPECT_TRUE(spool->is_empty());
        ASSERT_TRUE(append(*spool, "one").is_ok());
        ASSERT_TRUE(append(*spool, "two", 9).is_ok());
        EXPECT_EQ(Spool::open({ .folder = folder / "spool" }).error().code, ErrorCode::conflict);
    }
    {
        auto const spool = open();
        ASSERT_TRUE(append(*spool, "three").is_ok());
        ASSERT_TRUE(seal(*spool, "gap ").is_ok());
        EXPECT_EQ(append(*spool, "four").error().code, ErrorCode::conflict);
    }
    auto const spool = open();
    EXPECT_EQ(texts_of(*spool), (std::vector<std::string> { "one", "two", "three", "gap 3" }));
    EXPECT_TRUE(spool->is_sealed());
    EXPECT_EQ(spool->log_size(), 7U);
    ASSERT_TRUE(spool->clear().is_ok());
    EXPECT_TRUE(spool->is_empty());
    EXPECT_FALSE(std::filesystem::exists(file()));
    ASSERT_TRUE(append(*spool, "the next outage", 20).is_ok());
    EXPECT_EQ(spool->log_size(), 20U);
}

TEST_F(SpoolFolder, is_bounded)
{
    constexpr std::size_t beginning = 32 + 18, one = 28 + 10 + 20; // heads included
    auto const spool = open(300);
    std::size_t count = 0;
    while (append(*spool, std::string(20, 'x')).is_ok())
        ++count;
    EXPECT_EQ(count, (300 - beginning) / one);
    EXPECT_EQ(append(*spool, std::string(20, 'x')).error().code, ErrorCode::resource_exhausted);
    EXPECT_TRUE(seal(*spool, "the record of the gap always has room ").is_ok());
}

TEST_F(SpoolFolder, takes_no_record_that_the_log_would_not)
{
    auto const spool = open();
    EXPECT_EQ(append(*spool, std::string(70'000, 'x')).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(append(*spool, "").error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(spool->is_empty());
}

TEST_F(SpoolFolder, many_at_once_keep_their_order)
{
    constexpr std::size_t count = 5000;
    {
        auto const spool = open();
        std::promise<void> last;
        std::vector<std::size_t> acknowledged;
        for (std::size_t i = 0; i < count; ++i)
            spool->append("record " + std::to_string(i), 3, [&, i](Result<> const& result) {
                EXPECT_TRUE(result.is_ok());
                acknowledged.push_back(i);
                if (i + 1 == count)
                    last.set_value();
            });
        last.get_future().wait();
        EXPECT_TRUE(std::ranges::is_sorted(acknowledged));
        EXPECT_EQ(acknowledged.size(), count);
        ASSERT_TRUE(seal(*spool, "gap ").is_ok());
    }
    auto const texts = texts_of(*open());
    ASSERT_EQ(texts.size(), count + 1);
    for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(texts[i], "record " + std::to_string(i));
    EXPECT_EQ(texts.back(), "gap " + std::to_string(count));
}

TEST_F(SpoolFolder, a_torn_end_is_cut_off_and_an_altered_byte_is_corruption)
{
    std::vector<std::uintmax_t> ends;
    {
        auto const spool = open();
        for (auto const* const text : { "first", "second", "third" })
            ASSERT_TRUE(append(*spool, text).is_ok());
        ends = { 32 + 28 + 18 + 15 };
        ends.push_back(ends.back() + 28 + 16);
        ends.push_back(ends.back() + 28 + 15);
    }
    auto const whole = read_file(file()).value();
    ASSERT_EQ(whole.size(), ends.back());
    for (std::size_t length = 0; length <= whole.size(); ++length) {
        auto const parsed = parse_spool(BytesView(whole).first(length)).value();
        EXPECT_EQ(parsed.texts.size(), static_cast<std::size_t>(std::ranges::count_if(ends, [length](auto end) { return end <= length; }))) << length;
    }
    // The last record too.
    for (std::size_t i = 0; i < whole.size(); ++i) {
        auto changed = whole;
        changed[i] ^= 1;
        EXPECT_EQ(parse_spool(changed).error().code, ErrorCode::corruption) << i;
        write(changed);
        EXPECT_EQ(Spool::open({ .folder = folder / "spool" }).error().code, ErrorCode::corruption) << i;
    }
    auto longer = whole;
    longer.resize(longer.size() + 100); // zeros written ahead
    write(longer);
    EXPECT_EQ(open()->count(), 3U);
    EXPECT_EQ(std::filesystem::file_size(file()), whole.size());
}

TEST_F(SpoolFolder, a_sector_that_power_loss_kept_from_the_disk_is_a_torn_end)
{
    constexpr std::size_t sector = 512;
    {
        auto const spool = open();
        ASSERT_TRUE(append(*spool, "first").is_ok());
        ASSERT_TRUE(append(*spool, std::string(4 * sector, 'x')).is_ok());
    }
    auto lost = read_file(file()).value();
    std::fill_n(lost.begin() + 2 * sector, sector, std::uint8_t(0));
    EXPECT_EQ(parse_spool(lost)->texts, (std::vector<std::string> { "first" }));
    lost[2 * sector + 7] = 'y';
    EXPECT_EQ(parse_spool(lost).error().code, ErrorCode::corruption);
}

} // namespace
} // namespace writ::audit
