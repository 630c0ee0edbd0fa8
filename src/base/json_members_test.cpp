// SPDX-License-Identifier: Apache-2.0
#include "base/json_members.h"

#include <gtest/gtest.h>

namespace writ {
namespace {

JsonObject const object { { "text", "a" }, { "number", 7 }, { "flag", true }, { "nothing", nullptr } };

TEST(JsonMembers, what_is_absent_has_its_default)
{
    EXPECT_EQ(text_member_or(object, "absent", "b").value(), "b");
    EXPECT_EQ(text_member_or(object, "text", "b").value(), "a");
    EXPECT_FALSE(flag_member(object, "absent").value());
    EXPECT_TRUE(flag_member(object, "flag").value());
}

TEST(JsonMembers, what_is_of_another_type_is_not_absent)
{
    for (auto const* const name : { "number", "flag", "nothing" })
        EXPECT_EQ(text_member_or(object, name, "b").error().message, "member `" + std::string(name) + "` must be a string");
    for (auto const* const name : { "number", "text", "nothing" })
        EXPECT_EQ(flag_member(object, name).error().message, "member `" + std::string(name) + "` must be true or false");
}

TEST(JsonMembers, what_nobody_knows_is_refused_by_its_name)
{
    EXPECT_TRUE(check_members(object, { "text", "number", "flag", "nothing" }).is_ok());
    EXPECT_EQ(check_members(object, { "text", "number", "nothing" }).error().message, "unknown member `flag`");
    EXPECT_TRUE(parse_request("{}", { "text" }).is_ok());
    EXPECT_EQ(parse_request(R"({"txet":"a"})", { "text" }).error().code, ErrorCode::invalid_argument);
    EXPECT_TRUE(parse_request("[]", { "text" }).is_error());
    JsonObject const long_name { { std::string(1000, 'x'), 1 } };
    EXPECT_LT(check_members(long_name, {}).error().message.size(), 100U);
}

} // namespace
} // namespace writ
