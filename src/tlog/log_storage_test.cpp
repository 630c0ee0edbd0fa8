// SPDX-License-Identifier: Apache-2.0
#include "tlog/folder_tiles.h"
#include "tlog/head_file.h"
#include "tlog/log_fixture.h"
#include "tlog/memory_storage.h"
#include "tlog/storage_conformance.h"

namespace writ::tlog {
namespace {

class FolderStorage : public LogFolder {
protected:
    FolderStorage() { EXPECT_TRUE(create_folder(folder_ / "tmp").is_ok()); }
    LogStorage open_storage() const
    {
        return { .checkpoints = HeadFile::open(folder_, true).value(), .tiles = std::make_unique<FolderTiles>(folder_) };
    }
    Result<std::string> load() const
    {
        auto const head = TRY(HeadFile::open(folder_, false));
        return head->load();
    }
};

TEST_F(FolderStorage, is_a_strict_store)
{
    expect_strict_store([this] { return open_storage(); });
}

TEST_F(FolderStorage, is_a_loose_store)
{
    expect_loose_store([this] { return open_storage(); });
}

TEST(MemoryStorage, is_a_strict_and_a_loose_store)
{
    auto const disk = std::make_shared<MemoryDisk>();
    auto const open = [&disk] {
        return LogStorage { .checkpoints = std::make_unique<MemoryCheckpoints>(disk), .tiles = std::make_unique<MemoryTiles>(disk) };
    };
    expect_strict_store(open);
    expect_loose_store(open);
}

TEST_F(FolderStorage, a_head_that_is_missing_or_of_another_length_is_corruption)
{
    EXPECT_EQ(load().error().code, ErrorCode::corruption); // nobody may create it
    ASSERT_TRUE(open_storage().checkpoints->replace("", "one").is_ok());
    auto const whole = read_file(folder_ / "head").value();
    for (auto const size : { std::size_t(0), std::size_t(1), head_slot_bytes, whole.size() - 1 }) {
        write_file(folder_ / "head", BytesView(whole).first(size));
        EXPECT_EQ(load().error().code, ErrorCode::corruption) << size;
    }
    auto longer = whole;
    longer.push_back(0);
    write_file(folder_ / "head", longer);
    EXPECT_EQ(load().error().code, ErrorCode::corruption);
    write_file(folder_ / "head", whole);
    EXPECT_EQ(load().value(), "one");
}

// Power loss within a write: some sectors of the slot have the new bytes and some the old.
TEST_F(FolderStorage, a_write_torn_at_any_byte_leaves_the_checkpoint_before_it)
{
    auto const store = open_storage().checkpoints;
    ASSERT_TRUE(store->replace("", "one").is_ok());
    ASSERT_TRUE(store->replace("one", "two").is_ok());
    auto const before = read_file(folder_ / "head").value();
    ASSERT_TRUE(store->replace("two", "a third one").is_ok());
    auto const after = read_file(folder_ / "head").value();
    auto const slot = std::ranges::equal(BytesView(before).first(head_slot_bytes), BytesView(after).first(head_slot_bytes)) ? head_slot_bytes : 0;
    for (std::size_t torn = 0; torn <= head_slot_bytes; ++torn) {
        auto bytes = before;
        std::copy_n(after.begin() + static_cast<std::ptrdiff_t>(slot), torn, bytes.begin() + static_cast<std::ptrdiff_t>(slot));
        write_file(folder_ / "head", bytes);
        auto const loaded = load().value();
        ASSERT_TRUE(loaded == "two" || (loaded == "a third one" && bytes == after)) << torn << " " << loaded;
        if (torn % 101 == 0)
            ASSERT_TRUE(HeadFile::open(folder_, false).value()->replace(loaded, "goes on").is_ok());
    }
}

TEST_F(FolderStorage, a_head_removed_or_replaced_beneath_it_takes_no_checkpoint)
{
    auto const store = open_storage().checkpoints;
    ASSERT_TRUE(store->replace("", "one").is_ok());
    auto const whole = read_file(folder_ / "head").value();
    std::filesystem::remove(folder_ / "head");
    EXPECT_EQ(store->replace("one", "two").error().code, ErrorCode::conflict);
    write_file(folder_ / "head", whole); // the same bytes in another file
    EXPECT_EQ(store->replace("one", "two").error().code, ErrorCode::conflict);
}

} // namespace
} // namespace writ::tlog
