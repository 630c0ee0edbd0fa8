// SPDX-License-Identifier: Apache-2.0
#include "tlog/log_fixture.h"
#include "tlog/tile.h"

#include <atomic>
#include <thread>

namespace writ::tlog {
namespace {

class VerifyFolder : public LogFolder {
protected:
    // Changes one byte of a file, looks, and changes it back.
    Error error_with(Path const& file, std::size_t position, std::uint8_t flip) const
    {
        auto bytes = read_file(file).value();
        auto const good = bytes;
        bytes[position] ^= flip;
        write_file(file, bytes);
        auto const report = verify();
        write_file(file, good);
        return report.is_error() ? report.error() : Error(ErrorCode::internal, "nothing found");
    }

    void expect_every_flip_found(std::size_t step) const
    {
        ASSERT_TRUE(verify().is_ok()) << verify().error().message;
        for (auto const& file : files_of(log_folder())) {
            auto const size = std::filesystem::file_size(file);
            auto const stride = file.filename() == "head" ? 7 * step : step; // mostly zeros
            for (std::size_t position = 0; position < size; position += stride) {
                auto const error = error_with(file, position, static_cast<std::uint8_t>(1U << position % 8));
                ASSERT_EQ(error.code, ErrorCode::corruption) << file << " at " << position << ": " << error.message;
            }
        }
        ASSERT_TRUE(verify().is_ok());
    }
};

TEST_F(VerifyFolder, finds_every_byte_altered_in_any_file_of_a_small_log)
{
    {
        auto const log = open().value();
        for (std::uint64_t size = 1; size <= 5; ++size) // one checkpoint each: older partial tiles lie beside the latest
            fill(*log, size);
    }
    auto const report = verify().value();
    EXPECT_EQ(report.size, 5U);
    EXPECT_EQ(report.origin, "example.org/log");
    expect_every_flip_found(1);
}

TEST_F(VerifyFolder, finds_bytes_altered_in_a_log_of_several_bundles)
{
    fill(*open().value(), 300);
    expect_every_flip_found(61);
}

TEST_F(VerifyFolder, names_the_altered_entry)
{
    fill(*open().value(), 300);
    auto const bundle = log_folder() / "tile/entries/000";
    auto const position = as_text(read_file(bundle).value()).find("entry 17");
    EXPECT_NE(error_with(bundle, position, 1).message.find("`tile/entries/000`: entry 17 is not what was written"), std::string::npos);
    EXPECT_NE(error_with(log_folder() / "tile/0/000", 17 * sizeof(Hash), 1)
                  .message.find("`tile/0/000`: the hash of entry 17 is not what was written"),
        std::string::npos);
    auto const journal = log_folder() / "journal/00000000000000000000";
    auto const in_journal = as_text(read_file(journal).value()).find("entry 23");
    EXPECT_NE(error_with(journal, in_journal, 1).message.find("entry 23 is not what was written"), std::string::npos);
}

// Somebody who can write files but not sign: the whole folder agrees with itself, and not with the checkpoint.
TEST_F(VerifyFolder, finds_an_entry_altered_together_with_all_that_depends_on_it)
{
    fill(*open().value(), 3);
    Bytes bundle;
    TiledTree tree;
    std::vector<TileFile> filled;
    for (auto const* const text : { "entry 0", "another", "entry 2" }) {
        append_entry(bundle, as_bytes(text));
        tree.append(leaf_hash(as_bytes(text)), filled);
    }
    write_file(log_folder() / "tile/entries/000.p/3", bundle);
    write_file(log_folder() / "tile/0/000.p/3", tree.partial_tiles()[0].bytes);
    EXPECT_EQ(verify().error().code, ErrorCode::corruption);
    std::filesystem::remove_all(log_folder() / "journal");
    EXPECT_EQ(verify().error().code, ErrorCode::corruption);
}

TEST_F(VerifyFolder, finds_files_missing_and_added)
{
    fill(*open().value(), 300);
    for (auto const* const name :
        { "checkpoint", "head", "verifier", "tile/0/000", "tile/1/000.p/1", "tile/entries/001.p/44", "journal/00000000000000000000" }) {
        std::filesystem::rename(log_folder() / name, folder_ / "away");
        EXPECT_EQ(verify().error().code, ErrorCode::corruption) << name;
        std::filesystem::rename(folder_ / "away", log_folder() / name);
    }
    for (auto const* const name : { "tile/0/002", "tile/0/001.p/45", "tile/2/000", "tile/63/000", "tile/x", "journal/x" }) {
        write_file(log_folder() / name, Bytes(8192, 1));
        EXPECT_EQ(verify().error().code, ErrorCode::corruption) << name;
        std::filesystem::remove(log_folder() / name); // an empty folder says nothing
    }
    EXPECT_TRUE(verify().is_ok());
}

TEST_F(VerifyFolder, another_key_is_not_the_logs)
{
    fill(*open().value(), 3);
    EXPECT_TRUE(verify_folder(log_folder(), std::nullopt, {}).is_ok());
    auto const other = NoteVerifier::of("example.org/log", crypto::PrivateKey::generate(crypto::KeyType::ed25519).value().public_key());
    EXPECT_EQ(verify_folder(log_folder(), other, {}).error().code, ErrorCode::corruption);
}

TEST_F(VerifyFolder, a_log_that_grows_meanwhile_verifies)
{
    auto const log = open().value();
    std::atomic<bool> is_done = false;
    std::jthread const growing([&] {
        while (!is_done)
            ASSERT(append_and_wait(*log, "more").is_ok() && wait_until_published(*log, log->size()).is_ok());
    });
    for (int i = 0; i < 40; ++i) {
        auto const report = verify();
        EXPECT_TRUE(report.is_ok()) << (report.is_error() ? report.error().message : "");
    }
    is_done = true;
}

} // namespace
} // namespace writ::tlog
