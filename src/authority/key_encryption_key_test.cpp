// SPDX-License-Identifier: Apache-2.0
#include "authority/key_encryption_key.h"

#include "authority/secret_keeper.h"
#include "authority/sealed_names.h"
#include "crypto/aead.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::authority;

namespace {

// Items in memory that change together, and a transaction that can be lost, or kept though it is reported lost.
class Rows final : public store::SealedStore {
public:
    enum class Fault { none, lost, kept };

    Result<> replace(Seal const& seal) override
    {
        auto changed = items;
        for (auto& item : changed)
            item.sealed = TRY(seal(item));
        if (fault != Fault::lost)
            items = std::move(changed);
        return fault == Fault::none ? Result<>() : Result<>(unavailable("the disk is gone"));
    }

    std::vector<Item> items;
    Fault fault = Fault::none;
};

class KeyEncryptionKey : public testing::Test {
protected:
    KeyEncryptionKey()
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-kek-XXXXXX").string();
        folder = ::mkdtemp(name.data());
    }
    ~KeyEncryptionKey() override { std::filesystem::remove_all(folder); }

    Result<SecretBytes> open() { return open_key_encryption_key(folder, rows, random); }

    void seal(store::SealedStore::Kind kind, std::string const& name, std::string const& associated, SecretBytes const& key)
    {
        rows.items.push_back({ kind, name, kind == store::SealedStore::Kind::secret ? 3U : 0U, crypto::seal(key, as_bytes(name), as_bytes(associated), random) });
    }
    void seal_one_of_each(SecretBytes const& key)
    {
        using Kind = store::SealedStore::Kind;
        seal(Kind::key, "x509-root-1", "x509-root-1", key);
        seal(Kind::secret, "openai", sealed_secret_key_name("openai", 3), key);
        seal(Kind::lease, "lease-a", sealed_place_name("lease-a"), key);
    }
    void expect_all_open_with(SecretBytes const& key)
    {
        for (auto const& item : rows.items) {
            auto const associated = item.kind == store::SealedStore::Kind::key ? item.name
                : item.kind == store::SealedStore::Kind::secret                ? sealed_secret_key_name(item.name, item.version)
                                                                               : sealed_place_name(item.name);
            auto const opened = crypto::open(key, item.sealed, as_bytes(associated));
            ASSERT_TRUE(opened.is_ok()) << item.name;
            EXPECT_EQ(as_text(opened->reveal()), item.name);
        }
    }
    bool is_there(char const* name) { return std::filesystem::exists(folder / name); }
    Bytes bytes_of(char const* name) { return read_file(folder / name).value(); }

    Path folder;
    Rows rows;
    SystemRandom random;
};

} // namespace

TEST_F(KeyEncryptionKey, is_made_once_and_changed_with_all_that_it_seals)
{
    auto const first = open().value();
    seal_one_of_each(first);
    EXPECT_EQ(open().value().reveal(), first.reveal());
    auto const second = change_key_encryption_key(folder, rows, first, random).value();
    EXPECT_NE(first.reveal(), second.reveal());
    expect_all_open_with(second);
    EXPECT_EQ(open().value().reveal(), second.reveal());
    EXPECT_FALSE(is_there("kek.next"));
}

TEST_F(KeyEncryptionKey, change_that_was_cut_off_is_finished_by_the_next_start)
{
    auto const first = open().value();
    seal_one_of_each(first);
    // The new key is on the disk, and nothing more.
    rows.fault = Rows::Fault::lost;
    EXPECT_TRUE(change_key_encryption_key(folder, rows, first, random).is_error());
    expect_all_open_with(first);
    EXPECT_TRUE(is_there("kek.next"));
    // The transaction was kept though it was reported lost, and then something was sealed with the old key.
    rows.fault = Rows::Fault::kept;
    EXPECT_TRUE(change_key_encryption_key(folder, rows, first, random).is_error());
    seal(store::SealedStore::Kind::lease, "lease-b", sealed_place_name("lease-b"), first);
    auto const next = bytes_of("kek.next");
    rows.fault = Rows::Fault::lost;
    EXPECT_TRUE(change_key_encryption_key(folder, rows, first, random).is_error());
    EXPECT_EQ(bytes_of("kek.next"), next) << "another attempt keeps the key that everything may be sealed with";
    rows.fault = Rows::Fault::none;
    auto const second = open().value();
    EXPECT_EQ(second.reveal(), next);
    expect_all_open_with(second);
    EXPECT_EQ(bytes_of("kek"), second.reveal());
    EXPECT_FALSE(is_there("kek.next"));
    // The file had its name, and the one beside it was still there.
    ASSERT_TRUE(replace_file(folder / "kek.next", second.reveal()).is_ok());
    EXPECT_EQ(open().value().reveal(), second.reveal());
    expect_all_open_with(second);
}

TEST_F(KeyEncryptionKey, of_an_operator_is_taken_at_the_start)
{
    seal_one_of_each(open().value());
    ASSERT_TRUE(replace_file(folder / "kek.next", Bytes(32, 9)).is_ok());
    auto const theirs = open().value();
    EXPECT_EQ(theirs.reveal(), Bytes(32, 9));
    expect_all_open_with(theirs);
}

TEST_F(KeyEncryptionKey, that_fits_nothing_changes_nothing)
{
    auto const first = open().value();
    seal_one_of_each(first);
    auto const before = bytes_of("kek");
    rows.items[1].version = 2; // a version in another's place
    ASSERT_TRUE(replace_file(folder / "kek.next", Bytes(32, 9)).is_ok());
    EXPECT_EQ(open().error().code, ErrorCode::corruption);
    EXPECT_EQ(bytes_of("kek"), before);
    EXPECT_TRUE(change_key_encryption_key(folder, rows, first, random).is_error());
    rows.items[1].version = 3; // as it was
    expect_all_open_with(first);
    ASSERT_TRUE(replace_file(folder / "kek.next", Bytes(31, 9)).is_ok());
    EXPECT_EQ(open().error().code, ErrorCode::corruption);
    EXPECT_EQ(bytes_of("kek"), before);
}

TEST_F(KeyEncryptionKey, that_is_missing_is_not_made_anew)
{
    auto const first = open().value();
    seal_one_of_each(first);
    auto const kept = bytes_of("kek");
    std::filesystem::remove(folder / "kek");
    EXPECT_EQ(open().error().message,
        "`" + (folder / "kek").string() + "` is missing, and what the database keeps is sealed with it: put it back from where it was saved");
    EXPECT_FALSE(is_there("kek") || is_there("kek.next"));
    ASSERT_TRUE(replace_file(folder / "kek", kept).is_ok());
    EXPECT_EQ(open().value().reveal(), first.reveal());
    expect_all_open_with(first);
}
