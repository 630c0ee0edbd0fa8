// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <gtest/gtest.h>

using namespace writ::cli;

TEST(Output, shows_no_control_character_to_a_terminal)
{
    EXPECT_EQ(printable("a\x1b[2Jb\nc\x7f"), "a\\x1b[2Jb\\x0ac\\x7f");
    EXPECT_EQ(printable("\xc2\x9b\x32J"), "\\xc2\x9b\x32J"); // U+009B, in two bytes: what is left is no character
    EXPECT_EQ(printable("\xc3\xa9\xc2\xa0"), "\xc3\xa9\xc2\xa0");
}
