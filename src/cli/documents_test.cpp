// SPDX-License-Identifier: Apache-2.0
#include "cli/documents.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::cli;

TEST(Documents, fill_in_names_and_leave_comments_and_escapes_alone)
{
    Settings const settings { { "PORT", "5432" } };
    EXPECT_EQ(
        expand_settings("# ${NOT}\nport: ${PORT}\ntext: $${PORT}\n", "a.yaml", settings).value(), "# ${NOT}\nport: 5432\ntext: ${PORT}\n");
    EXPECT_EQ(expand_settings("${PORT}${PORT}", "a.yaml", settings).value(), "54325432");
}

TEST(Documents, name_the_place_of_a_name_without_value)
{
    auto const failed = expand_settings("kind: X\nport: ${WRIT_TEST_UNSET}\n", "a.yaml", {});
    EXPECT_TRUE(failed.error().message.starts_with("a.yaml:2:7: `WRIT_TEST_UNSET` has no value")) << failed.error().message;
    EXPECT_TRUE(expand_settings("port: ${PORT", "a.yaml", {}).is_error());
    EXPECT_TRUE(expand_settings("port: ${}", "a.yaml", {}).is_error());
}

TEST(Documents, settings_have_a_name_and_a_value)
{
    EXPECT_EQ(parse_settings({ "A=b=c" }).value().at("A"), "b=c");
    EXPECT_TRUE(parse_settings({ "A" }).is_error());
    EXPECT_TRUE(parse_settings({ "a-b=c" }).is_error());
}
