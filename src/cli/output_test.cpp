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

TEST(Output, separates_values_so_that_they_read_back_and_no_spreadsheet_runs_them)
{
    Table table({ "a", "b" });
    table.add({ "plain", "with, comma" });
    table.add({ "\"quoted\"", "line\nend" });
    table.add({ "=1+1", "@x" });
    testing::internal::CaptureStdout();
    table.print_csv();
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "a,b\r\nplain,\"with, comma\"\r\n\"\"\"quoted\"\"\",\"line\nend\"\r\n'=1+1,'@x\r\n");
}
