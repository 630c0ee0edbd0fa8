// SPDX-License-Identifier: Apache-2.0
#include "tlog/log.h"

#include "tlog/log_fixture.h"

#include <thread>

namespace writ::tlog {
namespace {

class LogTest : public LogFolder { };

void expect_proven(Log const& log, std::uint64_t index, NoteVerifier const& verifier)
{
    auto const checkpoint = verify_checkpoint(log.checkpoint(), verifier).value();
    auto const proof = log.inclusion_proof(index, checkpoint.size).value();
    auto const leaf = leaf_hash(log.read(index).value());
    EXPECT_TRUE(verify_inclusion(leaf, index, checkpoint.size, proof, checkpoint.root).is_ok()) << index;
}

TEST_F(LogTest, what_is_acknowledged_is_read_proven_and_there_after_a_restart)
{
    auto log = open().value();
    EXPECT_EQ(log->latest().size, 0U);
    EXPECT_EQ(append_and_wait(*log, "entry 0").value(), 0U);
    EXPECT_EQ(append_and_wait(*log, "entry 1").value(), 1U);
    EXPECT_EQ(log->size(), 2U);
    EXPECT_EQ(as_text(log->read(1).value()), "entry 1");
    EXPECT_EQ(log->read(2).error().code, ErrorCode::not_found);

    ASSERT_TRUE(wait_until_published(*log, 2).is_ok());
    expect_proven(*log, 0, signer_.verifier());
    auto const before = log->latest();
    EXPECT_EQ(log->inclusion_proof(0, 3).error().code, ErrorCode::not_found);

    log.reset();
    log = open().value();
    EXPECT_EQ(log->size(), 2U);
    EXPECT_EQ(log->latest().root, before.root);
    EXPECT_EQ(append_and_wait(*log, "entry 2").value(), 2U);
    ASSERT_TRUE(wait_until_published(*log, 3).is_ok());
    auto const after = log->latest();
    EXPECT_TRUE(verify_consistency(2, before.root, 3, after.root, log->consistency_proof(2, 3).value()).is_ok());
}

TEST_F(LogTest, entries_are_found_and_proven_across_full_bundles_and_restarts)
{
    constexpr std::uint64_t size = 1000;
    for (std::uint64_t grown : { std::uint64_t(255), std::uint64_t(256), std::uint64_t(600), size }) {
        auto log = open().value();
        fill(*log, grown);
        for (std::uint64_t index = 0; index < grown; index += 37)
            expect_proven(*log, index, signer_.verifier());
    }
    auto const log = open().value();
    auto const all = log->read_range(0, 5000).value();
    ASSERT_EQ(all.size(), size);
    for (std::uint64_t index = 0; index < size; ++index)
        ASSERT_EQ(as_text(all[index]), text_of(index));
    EXPECT_EQ(log->read_range(250, 10).value().size(), 10U);
    EXPECT_TRUE(log->read_range(size, 1).value().empty());
    for (std::uint64_t old_size = 1; old_size < size; old_size += 53) {
        TreeEdge edge;
        for (std::uint64_t index = 0; index < old_size; ++index)
            edge.append(leaf_hash(all[index]));
        auto const proof = log->consistency_proof(old_size, size).value();
        EXPECT_TRUE(verify_consistency(old_size, edge.root(), size, log->latest().root, proof).is_ok()) << old_size;
    }
    // Full tiles have replaced their partial ones, and bundles do not pile up.
    EXPECT_FALSE(std::filesystem::exists(log_folder() / "tile/0/000.p"));
    EXPECT_FALSE(std::filesystem::exists(log_folder() / "tile/entries/000.p"));
    EXPECT_TRUE(std::filesystem::exists(log_folder() / "tile/0/003.p/232"));
}

TEST_F(LogTest, appends_of_four_threads_get_each_index_once)
{
    constexpr std::size_t threads = 4, each = 500;
    std::vector<std::vector<std::uint64_t>> indexes(threads);
    {
        auto const log = open().value();
        std::vector<std::jthread> appenders;
        for (std::size_t t = 0; t < threads; ++t)
            appenders.emplace_back([&, t] {
                for (std::size_t i = 0; i < each; ++i)
                    indexes[t].push_back(append_and_wait(*log, std::to_string(t) + ":" + std::to_string(i)).value());
            });
    }
    auto const log = open().value();
    std::vector<std::uint64_t> all;
    for (std::size_t t = 0; t < threads; ++t)
        for (std::size_t i = 0; i < each; ++i) {
            all.push_back(indexes[t][i]);
            ASSERT_EQ(as_text(log->read(indexes[t][i]).value()), std::to_string(t) + ":" + std::to_string(i));
        }
    std::ranges::sort(all);
    for (std::size_t i = 0; i < all.size(); ++i)
        ASSERT_EQ(all[i], i);
    EXPECT_EQ(log->size(), threads * each);
    EXPECT_TRUE(verify().is_ok());
}

TEST_F(LogTest, closing_publishes_everything_acknowledged)
{
    {
        auto const log = open().value();
        for (int i = 0; i < 300; ++i)
            log->append(to_bytes("x"), [](Result<std::uint64_t> const& index) { ASSERT(index.is_ok()); });
    }
    EXPECT_EQ(verify().value().size, 300U);
    EXPECT_EQ(verify().value().unpublished, 0U);
}

TEST_F(LogTest, the_journal_is_cut_where_the_tiles_have_its_entries)
{
    std::string const long_text(60'000, 'x');
    {
        auto const log = open().value();
        for (int i = 0; i < 1000; ++i)
            log->append(to_bytes(long_text), [](Result<std::uint64_t> const& index) { ASSERT(index.is_ok()); });
        ASSERT_TRUE(wait_until_published(*log, 1000).is_ok());
    }
    std::uintmax_t journal = 0;
    for (auto const& file : files_of(log_folder() / "journal"))
        journal += std::filesystem::file_size(file);
    EXPECT_LT(journal, 45'000'000U); // of 60 MB: the last segments
    EXPECT_FALSE(std::filesystem::exists(log_folder() / "journal/00000000000000000000"));
    auto const log = open().value();
    EXPECT_EQ(log->size(), 1000U);
    expect_proven(*log, 3, signer_.verifier());
    EXPECT_EQ(append_and_wait(*log, "one more").value(), 1000U);
}

// As on a disk that is full for tiles: records are acknowledged all the same, and published when it goes again.
TEST_F(LogTest, publication_that_fails_is_tried_again_while_appends_go_on)
{
    auto log = open().value();
    fill(*log, 3);
    std::filesystem::remove_all(log_folder() / "tmp");
    write_file(log_folder() / "tmp", {});
    for (std::uint64_t index = 3; index < 300; ++index)
        ASSERT_EQ(append_and_wait(*log, text_of(index)).value(), index);
    EXPECT_EQ(as_text(log->read(299).value()), "entry 299");
    ASSERT_TRUE(wait_until_published(*log, 300).is_ok()); // proofs need no files
    expect_proven(*log, 299, signer_.verifier());
    expect_proven(*log, 3, signer_.verifier());
    EXPECT_EQ(verify().value().unpublished, 297U);
    std::filesystem::remove(log_folder() / "tmp");
    std::filesystem::create_directory(log_folder() / "tmp");
    log.reset();
    EXPECT_EQ(verify().value().unpublished, 0U);
}

TEST_F(LogTest, a_record_too_long_and_one_too_many_are_refused_at_once)
{
    auto few = options();
    few.waiting_records_max = 0;
    auto const log = Log::open(std::move(few), clock_).value();
    EXPECT_EQ(append_and_wait(*log, std::string(65'536, 'x')).error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(append_and_wait(*log, "x").error().code, ErrorCode::resource_exhausted);
    EXPECT_EQ(log->size(), 0U);
}

TEST_F(LogTest, one_process_and_one_signer_hold_a_folder)
{
    auto log = open().value();
    EXPECT_EQ(open().error().code, ErrorCode::conflict);
    log.reset();
    auto other = options();
    other.signer.key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value();
    EXPECT_EQ(Log::open(std::move(other), clock_).error().code, ErrorCode::conflict);
    EXPECT_TRUE(open().is_ok());
}

// As folders were before there was a `head`: the journal's segments begin with another word.
TEST_F(LogTest, a_folder_of_the_first_version_opens_and_goes_on_in_a_segment_of_this_one)
{
    fill(*open().value(), 20);
    auto const segment = log_folder() / "journal/00000000000000000000";
    auto bytes = read_file(segment).value();
    bytes[13] = '1';
    auto const checksum = crypto::sha256(BytesView(bytes).first(24));
    std::copy_n(checksum.begin(), 8, bytes.begin() + 24);
    write_file(segment, bytes);
    std::filesystem::remove(log_folder() / "head");
    EXPECT_TRUE(verify().is_ok()) << verify().error().message;

    fill(*open().value(), 25);
    EXPECT_TRUE(std::filesystem::exists(log_folder() / "journal/00000000000000000020"));
    EXPECT_TRUE(verify().is_ok());
    auto const log = open().value();
    EXPECT_EQ(log->size(), 25U);
    EXPECT_EQ(as_text(log->read(19).value()), "entry 19");
    expect_proven(*log, 3, signer_.verifier());
}

// An altered past must not get a new signature on top.
TEST_F(LogTest, a_log_whose_past_was_altered_does_not_open)
{
    fill(*open().value(), 20);
    auto const journal = log_folder() / "journal/00000000000000000000";
    auto const whole = read_file(journal).value();

    write_file(journal, BytesView(whole).first(whole.size() - 5));
    EXPECT_EQ(open().error().code, ErrorCode::corruption);

    auto altered = whole;
    altered[altered.size() - 3] ^= 1U;
    write_file(journal, altered);
    auto const error = open().error();
    EXPECT_EQ(error.code, ErrorCode::corruption);
    EXPECT_NE(error.message.find("entry 19"), std::string::npos) << error.message;

    write_file(journal, whole);
    std::filesystem::rename(log_folder() / "checkpoint", log_folder() / "elsewhere");
    EXPECT_EQ(open().error().code, ErrorCode::corruption);
    std::filesystem::rename(log_folder() / "elsewhere", log_folder() / "checkpoint");
    EXPECT_TRUE(open().is_ok());
}

} // namespace
} // namespace writ::tlog
