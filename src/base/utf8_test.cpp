// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <gtest/gtest.h>

namespace writ {
namespace {

TEST(Utf8, code_points_are_taken_in_their_shortest_form_only)
{
    std::string_view text = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80";
    for (char32_t const code : { U'a', U'\u00e9', U'\u20ac', U'\U0001f600' })
        EXPECT_EQ(take_code_point(text), code);
    EXPECT_TRUE(text.empty());
    for (std::string_view bad : { "\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3x", "\xE0\x80\x80", "\xE2\x82", "\xED\xA0\x80",
             "\xF0\x80\x80\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF" }) {
        auto const before = bad;
        EXPECT_FALSE(take_code_point(bad)) << bad;
        EXPECT_EQ(bad, before);
    }
}

TEST(Utf8, what_is_not_text_is_marked_and_the_rest_kept)
{
    EXPECT_EQ(repaired_utf8("a\xFFz\xC3\xA9\xC3"), "a\xEF\xBF\xBDz\xC3\xA9\xEF\xBF\xBD");
    EXPECT_EQ(repaired_utf8(""), "");
}

TEST(Utf8, a_prefix_ends_with_a_whole_code_point)
{
    EXPECT_EQ(utf8_prefix("x\xC3\xA9y", 2), "x");
    EXPECT_EQ(utf8_prefix("x\xC3\xA9y", 3), "x\xC3\xA9");
    EXPECT_EQ(utf8_prefix("\xF0\x9F\x98\x80", 3), "");
    EXPECT_EQ(utf8_prefix("abc", 9), "abc");
}

} // namespace
} // namespace writ
