// SPDX-License-Identifier: Apache-2.0
#include "tlog/folder_reader.h"

#include "tlog/journal.h"
#include "tlog/log_fixture.h"

#include <sys/stat.h>
#include <thread>

namespace writ::tlog {
namespace {

class ReadFolder : public LogFolder {
protected:
    // Of a tree that has `size` entries in its files; they follow the log by a fraction of a second.
    Result<FolderReader> open_reader(std::uint64_t size) const
    {
        for (;;) {
            auto reader = FolderReader::open(log_folder());
            if (reader.is_error() || reader->checkpoint().size >= size)
                return reader;
            std::this_thread::yield();
        }
    }
};

TEST_F(ReadFolder, gives_every_published_entry_while_the_log_is_open_and_after)
{
    auto log = open().value();
    for (auto const size : { 1U, 3U, 256U, 600U }) {
        fill(*log, size);
        auto const reader = open_reader(size);
        ASSERT_TRUE(reader.is_ok()) << reader.error().message;
        std::uint64_t next = 0;
        while (next < reader->checkpoint().size) {
            auto const entries = reader->read_range(next, 100).value();
            ASSERT_FALSE(entries.empty());
            for (auto const& entry : entries)
                ASSERT_EQ(to_text(entry), text_of(next++));
        }
        EXPECT_EQ(next, size);
    }
    log.reset();
    EXPECT_EQ(to_text(FolderReader::open(log_folder()).value().read_range(599, 5).value().front()), text_of(599));
}

TEST_F(ReadFolder, an_older_reader_finds_what_has_become_fuller_since)
{
    auto const log = open().value();
    fill(*log, 3);
    auto const reader = open_reader(3).value();
    fill(*log, 300);
    ASSERT_TRUE(open_reader(300).is_ok());
    auto const entries = reader.read_range(0, 100).value();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(to_text(entries.back()), text_of(2));
    EXPECT_TRUE(reader.read_range(3, 1).value().empty());
}

// A copy comes from whoever is audited. Without the look it waits for a writer for ever.
TEST_F(ReadFolder, a_pipe_in_the_place_of_a_file_keeps_nobody_waiting)
{
    fill(*open().value(), 300);
    std::vector<Path> files;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(log_folder()))
        if (entry.is_regular_file())
            files.push_back(entry.path());
    ASSERT_GT(files.size(), 5U);
    for (auto const& file : files) {
        auto const aside = Path(file.string() + "-aside");
        std::filesystem::rename(file, aside);
        ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
        auto const reader = FolderReader::open(log_folder());
        for (std::uint64_t next = 0; reader.is_ok() && next < 300; next += 50)
            (void)reader->read_range(next, 50);
        (void)verify();
        std::filesystem::remove(file);
        std::filesystem::rename(aside, file);
    }
    std::filesystem::remove(log_folder() / "checkpoint");
    ASSERT_EQ(::mkfifo((log_folder() / "checkpoint").c_str(), 0600), 0);
    EXPECT_NE(FolderReader::open(log_folder()).error().message.find("is no regular file"), std::string::npos);
    EXPECT_TRUE(verify().is_error());
}

TEST_F(ReadFolder, one_entry_is_what_it_is_among_others)
{
    fill(*open().value(), 600);
    auto const reader = FolderReader::open(log_folder()).value();
    for (std::uint64_t i = 0; i < 600; ++i)
        ASSERT_EQ(to_text(reader.read_range(i, 1).value().front()), text_of(i));
    for (std::uint64_t i = 600; i-- > 0;)
        ASSERT_EQ(to_text(reader.read_range(i, 1).value().front()), text_of(i));
    for (std::uint64_t i = 0; i < 256; ++i) // from bundle to bundle and back
        for (auto const index : { i, 256 + i })
            ASSERT_EQ(to_text(reader.read_range(index, 1).value().front()), text_of(index));
    EXPECT_TRUE(reader.read_range(600, 1).value().empty());
    auto const bundle = log_folder() / "tile/entries/000";
    auto const bytes = read_file(bundle).value();
    for (auto const at : { std::size_t(0), std::size_t(1), std::size_t(2), bytes.size() - 1 }) {
        auto twin = bytes;
        twin[at] ^= 1U;
        write_file(bundle, twin);
        // Not one that remembers where the entries were: what it finds there is what was written.
        auto const another = FolderReader::open(log_folder()).value();
        EXPECT_EQ(another.read_range(at < 3 ? 0 : 255, 1).error().code, ErrorCode::corruption) << at;
    }
    write_file(bundle, Bytes(bytes.begin(), bytes.end() - 1));
    EXPECT_EQ(reader.read_range(255, 1).error().code, ErrorCode::corruption);
    EXPECT_EQ(to_text(reader.read_range(254, 1).value().front()), text_of(254));
    write_file(bundle, bytes);
    EXPECT_EQ(to_text(reader.read_range(255, 1).value().front()), text_of(255));
}

TEST_F(ReadFolder, names_an_entry_that_is_not_what_was_written)
{
    fill(*open().value(), 300);
    auto const bundle = log_folder() / "tile/entries/000";
    auto bytes = read_file(bundle).value();
    bytes[2] ^= 1U;
    write_file(bundle, bytes);
    auto const error = FolderReader::open(log_folder()).value().read_range(0, 1).error();
    EXPECT_EQ(error.code, ErrorCode::corruption);
    EXPECT_NE(error.message.find("entry 0"), std::string::npos) << error.message;
}

TEST_F(ReadFolder, a_checkpoint_of_another_key_is_refused)
{
    fill(*open().value(), 3);
    NoteSigner const other { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    EXPECT_EQ(FolderReader::open(log_folder(), other.verifier()).error().code, ErrorCode::corruption);
    EXPECT_EQ(FolderReader::open(folder_ / "nothing").error().code, ErrorCode::not_found);
}

// What a kill leaves: entries that the journal alone has.
class ReadUnpublished : public ReadFolder {
protected:
    ReadUnpublished()
    {
        fill(*open().value(), 3);
        auto const published = read_file(log_folder() / "checkpoint").value();
        fill(*open().value(), 600);
        write_file(log_folder() / "checkpoint", published);
    }
    Path journal() const { return log_folder() / "journal/00000000000000000000"; }
    Error refusal() const { return FolderReader::open(log_folder()).error(); }
};

TEST_F(ReadUnpublished, entries_behind_the_checkpoint_come_from_the_journal)
{
    auto const reader = FolderReader::open(log_folder()).value();
    EXPECT_EQ(reader.checkpoint().size, 3U);
    ASSERT_EQ(reader.size(), 600U);
    for (std::uint64_t next = 0; next < reader.size();) {
        auto const entries = reader.read_range(next, 100).value();
        ASSERT_FALSE(entries.empty());
        for (auto const& entry : entries)
            ASSERT_EQ(to_text(entry), text_of(next++));
    }
    EXPECT_EQ(to_text(reader.read_range(599, SIZE_MAX).value().front()), text_of(599));
    EXPECT_TRUE(reader.read_range(600, 1).value().empty());
}

TEST_F(ReadUnpublished, a_copy_without_its_journal_has_what_was_published)
{
    std::filesystem::remove_all(log_folder() / "journal");
    auto const reader = FolderReader::open(log_folder()).value();
    EXPECT_EQ(reader.size(), 3U);
    EXPECT_TRUE(reader.read_range(3, 1).value().empty());
}

TEST_F(ReadUnpublished, an_altered_journal_is_never_left_out_in_silence)
{
    auto bytes = read_file(journal()).value();
    bytes[bytes.size() - 1] ^= 1U;
    write_file(journal(), bytes);
    EXPECT_EQ(refusal().code, ErrorCode::corruption);
    EXPECT_NE(refusal().message.find("entry 599"), std::string::npos) << refusal().message;
}

TEST_F(ReadUnpublished, a_journal_that_begins_behind_the_checkpoint_is_refused)
{
    std::filesystem::remove(journal());
    auto segment = encode_segment_head(4);
    std::array const records { as_bytes("record") };
    auto const group = Group::encode(4, records);
    segment.insert(segment.end(), group->bytes().begin(), group->bytes().end());
    write_file(log_folder() / "journal/00000000000000000004", segment);
    EXPECT_EQ(refusal().code, ErrorCode::corruption);
    EXPECT_NE(refusal().message.find("begins with entry 4"), std::string::npos) << refusal().message;
}

} // namespace
} // namespace writ::tlog
