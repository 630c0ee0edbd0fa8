// SPDX-License-Identifier: Apache-2.0
//
// Somebody removes, cuts or replaces files of the log, before it is opened or while it runs: it says which, and takes no record on top.
#include "tlog/log_fixture.h"
#include "tlog/log_folder.h"

#include <fcntl.h>
#include <unistd.h>

namespace writ::tlog {
namespace {

class TamperedLog : public LogFolder {
protected:
    // With segments so small that some are let go: what they held is in tiles alone.
    Result<std::unique_ptr<Log>> open_small() const
    {
        LogSeams seams;
        seams.segment_bytes = 4096;
        return open_log(options(), seams);
    }
    void fill_until_some_is_settled() const
    {
        auto const log = open_small().value();
        for (std::uint64_t size = 100; size <= 1000; size += 100)
            fill(*log, size);
    }
    static void expect_refused(Result<std::unique_ptr<Log>> const& opened, std::string const& name)
    {
        ASSERT_TRUE(opened.is_error()) << name << ": opens";
        EXPECT_EQ(opened.error().code, ErrorCode::corruption) << name;
        EXPECT_NE(opened.error().message.find(name), std::string::npos) << name << ": " << opened.error().message;
    }
    std::vector<Path> segments() const { return files_of(log_folder() / "journal"); }

    static void expect_refuses_records(Log& log, std::string const& name)
    {
        auto const refused = append_and_wait(log, "on top");
        ASSERT_TRUE(refused.is_error());
        EXPECT_NE(refused.error().message.find(name), std::string::npos) << refused.error().message;
        EXPECT_TRUE(log.is_refusing());
    }
    // Until the log has noticed by itself.
    static bool refuses_soon(Log& log)
    {
        for (int i = 0; i < 2000 && !log.is_refusing(); ++i)
            if (append_and_wait(log, "more").is_ok())
                (void)wait_until_published(log, log.size()).is_ok();
        return log.is_refusing();
    }
};

TEST_F(TamperedLog, an_open_names_the_file_that_is_missing_or_cut)
{
    fill_until_some_is_settled();
    ASSERT_NE(segments().front().filename(), "00000000000000000000"); // some was let go
    for (auto const* const name : { "head", "checkpoint", "tile/0/000", "tile/1/000.p/3", "tile/entries/000" }) {
        auto const is_written_again = std::string_view(name).starts_with("tile/1"); // of what the journal still has
        std::filesystem::rename(log_folder() / name, folder_ / "away");
        if (!is_written_again)
            expect_refused(open_small(), name);
        std::filesystem::rename(folder_ / "away", log_folder() / name);
    }
    for (auto const* const name : { "head", "checkpoint", "tile/0/000", "tile/entries/000" }) {
        auto const whole = read_file(log_folder() / name).value();
        write_file(log_folder() / name, {});
        expect_refused(open_small(), name);
        write_file(log_folder() / name, whole);
    }
    auto const hashes = read_file(log_folder() / "tile/0/000").value();
    write_file(log_folder() / "tile/0/000", BytesView(hashes).first(hashes.size() - 32));
    expect_refused(open_small(), "tile/0/000");
    write_file(log_folder() / "tile/0/000", hashes);
    EXPECT_TRUE(open_small().is_ok());
}

TEST_F(TamperedLog, an_open_misses_any_segment)
{
    fill_until_some_is_settled();
    ASSERT_GE(segments().size(), 1U);
    {
        auto const log = open_small().value();
        for (int i = 0; i < 200; ++i)
            ASSERT_TRUE(append_and_wait(*log, std::string(100, 'x')).is_ok());
    }
    for (auto const& segment : segments()) {
        std::filesystem::rename(segment, folder_ / "away");
        EXPECT_EQ(open_small().error().code, ErrorCode::corruption) << segment;
        std::filesystem::rename(folder_ / "away", segment);
    }
    EXPECT_TRUE(open_small().is_ok());
}

TEST_F(TamperedLog, a_segment_removed_beneath_it_takes_no_record)
{
    auto const log = open().value();
    fill(*log, 3);
    std::filesystem::remove(segments().back());
    expect_refuses_records(*log, "journal/00000000000000000000");
    EXPECT_EQ(log->size(), 3U);
}

TEST_F(TamperedLog, a_segment_cut_or_extended_beneath_it_takes_no_record)
{
    for (auto const difference : { -5, 5 }) {
        std::filesystem::remove_all(log_folder());
        auto const log = open().value();
        fill(*log, 3);
        auto const segment = segments().back();
        std::filesystem::resize_file(segment, std::filesystem::file_size(segment) + static_cast<std::uintmax_t>(difference));
        expect_refuses_records(*log, "journal/00000000000000000000");
    }
}

TEST_F(TamperedLog, a_head_or_checkpoint_removed_or_altered_beneath_it_ends_it)
{
    for (auto const* const name : { "head", "checkpoint" })
        for (auto const is_removed : { true, false }) {
            std::filesystem::remove_all(log_folder());
            auto const log = open().value();
            fill(*log, 3);
            auto bytes = read_file(log_folder() / name).value();
            for (std::size_t position = 70; position < bytes.size(); position += 1024) // in both slots
                bytes[position] ^= 1U;
            is_removed ? std::filesystem::remove(log_folder() / name), void() : write_file(log_folder() / name, bytes);
            EXPECT_TRUE(refuses_soon(*log)) << name << is_removed;
            EXPECT_NE(append_and_wait(*log, "on top").error().message.find(name), std::string::npos);
        }
}

// An older head put back, as by somebody who restores a file from a copy: the next checkpoint would be beside one that is out.
TEST_F(TamperedLog, a_head_that_went_back_beneath_it_signs_no_second_tree)
{
    auto const log = open().value();
    fill(*log, 3);
    auto const old = read_file(log_folder() / "head").value();
    fill(*log, 5);
    UniqueFd const head(::open((log_folder() / "head").c_str(), O_WRONLY | O_CLOEXEC));
    ASSERT_EQ(::pwrite(head.get(), old.data(), old.size(), 0), static_cast<ssize_t>(old.size()));
    EXPECT_TRUE(refuses_soon(*log));
    EXPECT_EQ(log->latest().size, 5U);
}

} // namespace
} // namespace writ::tlog
