// SPDX-License-Identifier: Apache-2.0
#include "authority/secret_keeper.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::authority;

namespace {

// One row that a test can look at and tamper with.
class OneSecret final : public store::SecretStore {
public:
    Result<SealedSecret> newest(std::string const& name) override
    {
        return versions.empty() || versions.back().name != name ? Result<SealedSecret>(not_found("none")) : versions.back();
    }
    Result<> add(SealedSecret const& secret, std::uint64_t drop_to) override
    {
        versions.push_back(secret);
        std::erase_if(versions, [drop_to](auto const& one) { return one.version <= drop_to; });
        return {};
    }
    Result<> remove(std::string const&) override { return not_found("none"); }
    Result<std::vector<SealedSecret>> list(std::size_t) override { return versions; }
    Result<std::size_t> count_names() override { return versions.empty() ? std::size_t(0) : std::size_t(1); }

    std::vector<SealedSecret> versions;
};

class Secrets : public testing::Test {
protected:
    void keep(std::string const& value)
    {
        auto const version = keeper.next_version("openai", !rows.versions.empty()).value();
        ASSERT_TRUE(keeper.add("openai", version, SecretText(value), from_unix_seconds(1)).is_ok());
    }

    SystemRandom random;
    OneSecret rows;
    SecretKeeper keeper { rows, SecretBytes(Bytes(32, 7)), random };
};

} // namespace

TEST_F(Secrets, open_to_their_newest_version_and_lie_sealed)
{
    keep("sk-first-of-all");
    EXPECT_EQ(keeper.open("openai").value().value.reveal(), "sk-first-of-all");
    keep("sk-second-of-all");
    auto const opened = keeper.open("openai").value();
    EXPECT_EQ(opened.value.reveal(), "sk-second-of-all");
    EXPECT_EQ(opened.version, 2U);
    for (auto const& row : rows.versions)
        EXPECT_EQ(as_text(row.sealed).find("of-all"), std::string_view::npos);
}

TEST_F(Secrets, do_not_open_in_anothers_place_nor_altered_nor_under_another_key)
{
    keep("sk-one");
    auto const good = rows.versions.back();
    rows.versions.back().name = "anthropic";
    EXPECT_EQ(keeper.open("anthropic").error().code, ErrorCode::corruption);
    rows.versions.back() = good;
    rows.versions.back().version = 2;
    EXPECT_EQ(keeper.open("openai").error().code, ErrorCode::corruption);
    for (auto const part : { &store::SecretStore::SealedSecret::key, &store::SecretStore::SealedSecret::sealed }) {
        for (std::size_t i = 0; i < (good.*part).size(); ++i) {
            rows.versions.back() = good;
            (rows.versions.back().*part)[i] ^= 1U;
            EXPECT_EQ(keeper.open("openai").error().code, ErrorCode::corruption) << i;
        }
    }
    rows.versions.back() = good;
    SecretKeeper another(rows, SecretBytes(Bytes(32, 8)), random);
    EXPECT_EQ(another.open("openai").error().code, ErrorCode::corruption);
    EXPECT_TRUE(keeper.open("openai").is_ok());
}

TEST_F(Secrets, are_changed_by_one_at_a_time)
{
    auto first = keeper.begin_change("openai");
    ASSERT_TRUE(first.is_ok());
    EXPECT_EQ(keeper.begin_change("openai").error().code, ErrorCode::conflict);
    EXPECT_TRUE(keeper.begin_change("another").is_ok());
    first = conflict("ended");
    EXPECT_TRUE(keeper.begin_change("openai").is_ok());
}

TEST_F(Secrets, are_put_once_and_rotated_when_they_are_there)
{
    EXPECT_EQ(keeper.next_version("openai", true).error().code, ErrorCode::not_found);
    EXPECT_EQ(keeper.next_version("openai", false).value(), 1U);
    keep("sk-one");
    EXPECT_EQ(keeper.next_version("openai", false).error().code, ErrorCode::conflict);
    EXPECT_EQ(keeper.next_version("openai", true).value(), 2U);
    for (int i = 0; i < 12; ++i)
        keep("sk-more");
    EXPECT_EQ(rows.versions.size(), secret_versions_max);
}

TEST_F(Secrets, have_names_and_values_that_files_and_variables_can_hold)
{
    EXPECT_TRUE(SecretKeeper::check("openai/prod-1", SecretText("x")).is_ok());
    for (auto const* name : { "", "a b", "a\nb", "a*" })
        EXPECT_TRUE(SecretKeeper::check(name, SecretText("x")).is_error()) << name;
    for (auto const& value : { std::string(), std::string("a\0b", 3), std::string("\xff"), std::string(secret_bytes_max + 1, 'a') })
        EXPECT_TRUE(SecretKeeper::check("a", SecretText(value)).is_error());
}
