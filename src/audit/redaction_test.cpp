// SPDX-License-Identifier: Apache-2.0
#include "audit/redaction.h"

#include "crypto/digest.h"

#include <gtest/gtest.h>

namespace writ::audit {
namespace {

class RedactionTest : public testing::Test {
protected:
    RedactionTest()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-salt-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    ~RedactionTest() override { std::filesystem::remove_all(folder_); }

    SeededRandom random_ { 1 };
    Path folder_;
};

} // namespace

TEST_F(RedactionTest, sensitive_values_become_digests_that_can_be_compared)
{
    auto const salt = Salt::open(folder_ / "salt", random_).value();
    Record record;
    record.context = R"({"amount":5,"patient":{"id":"p-17","ward":"3"}})";
    record.claims = { { .name = "unix.user", .values = { "alice" }, .provider = "unix" },
        { .name = "unix.uid", .values = { "1000" }, .provider = "unix" } };
    redact(record, { .context = { "patient.id", "amount", "absent" }, .claims = { "unix.user" } }, salt);
    EXPECT_EQ(record.context,
        R"({"amount":")" + salt.digest_of("5") + R"(","patient":{"id":")" + salt.digest_of("p-17") + R"(","ward":"3"}})");
    EXPECT_EQ(record.claims[0].values, std::vector<std::string> { salt.digest_of("alice") });
    EXPECT_EQ(record.claims[1].values, std::vector<std::string> { "1000" });
    EXPECT_EQ(record.redacted, (std::vector<std::string> { "context.amount", "context.patient.id", "claim.unix.user" }));
    EXPECT_EQ(to_json_text(record).find("p-17"), std::string::npos);
    EXPECT_EQ(to_json_text(record).find("alice"), std::string::npos);
}

TEST_F(RedactionTest, what_posture_says_of_a_sensitive_value_is_a_digest_too)
{
    auto const salt = Salt::open(folder_ / "salt", random_).value();
    Record record;
    record.context = R"({"posture":{"address":"10.1.2.3","executable_digest":"9f2c"}})";
    record.posture = to_hex(crypto::sha256(as_bytes(R"({"address":"10.1.2.3","executable_digest":"9f2c"})")));
    record.claims = { { .name = "unix.sha256", .values = { "9f2c" }, .provider = "unix" } };
    redact(record, { .context = { "posture.address" }, .claims = { "unix.sha256" } }, salt);
    auto const posture
        = R"({"address":")" + salt.digest_of("10.1.2.3") + R"(","executable_digest":")" + record.claims[0].values[0] + R"("})";
    EXPECT_EQ(record.context, R"({"posture":)" + posture + "}");
    EXPECT_EQ(record.posture, to_hex(crypto::sha256(as_bytes(posture)))); // and not of the values, which could then be tried
    EXPECT_EQ(to_json_text(record).find("9f2c"), std::string::npos);
}

TEST_F(RedactionTest, a_salt_is_made_once_and_is_its_logs_own)
{
    auto const salt = Salt::open(folder_ / "salt", random_).value();
    EXPECT_EQ(Salt::open(folder_ / "salt", random_).value().digest_of("x"), salt.digest_of("x"));
    EXPECT_EQ(Salt::read(folder_ / "salt").value().digest(), salt.digest());
    auto const other = Salt::open(folder_ / "other", random_).value();
    EXPECT_NE(other.digest_of("x"), salt.digest_of("x"));
    EXPECT_NE(other.digest(), salt.digest());
    using std::filesystem::perms;
    EXPECT_EQ(std::filesystem::status(folder_ / "salt").permissions(), perms::owner_read | perms::owner_write);
    ASSERT_TRUE(replace_file(folder_ / "salt", Bytes(31, 0)).is_ok());
    EXPECT_EQ(Salt::open(folder_ / "salt", random_).error().code, ErrorCode::corruption);
}

TEST_F(RedactionTest, a_context_that_cannot_be_read_is_not_kept)
{
    auto const salt = Salt::open(folder_ / "salt", random_).value();
    Record record;
    record.context = R"({"secret":"p-17")";
    redact(record, { .context = { "secret" }, .claims = {} }, salt);
    EXPECT_EQ(record.context, "");
    EXPECT_EQ(record.context_cut, salt.digest_of(R"({"secret":"p-17")"));
}

} // namespace writ::audit
