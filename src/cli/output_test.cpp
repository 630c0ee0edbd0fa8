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

TEST(Output, a_table_fits_a_terminal_and_leaves_whole_what_is_copied_from_it)
{
    Table table({ { "WORKLOAD", Fit::cut }, { "AS", Fit::wide }, { "NOTHING", Fit::filled }, "RUN", { "POLICY", Fit::wide } });
    table.add({ "a-workload-of-a-name", "spiffe://oncology.example/x", "", "run-aaaabbbbccccddddeeee", "p1" });
    table.add({ "b", "", "", "run-bbbbccccddddeeeeffff", "p2" });
    EXPECT_EQ(table.lines(0).at(0), "WORKLOAD              AS                           RUN                       POLICY");
    EXPECT_EQ(table.lines(54).at(1), "a-workload-of-a-name  run-aaaabbbbccccddddeeee"); // the last goes first, and the other with it
    EXPECT_EQ(table.lines(76).at(1), "a-workload-of-a-name  spiffe://oncology.example/x  run-aaaabbbbccccddddeeee");
    EXPECT_EQ(table.lines(40), (std::vector<std::string> { "WORKLOAD        RUN", "a-workload-of…  run-aaaabbbbccccddddeeee", "b               run-bbbbccccddddeeeeffff" }));
    EXPECT_EQ(table.lines(5).at(1), "a-workl…  run-aaaabbbbccccddddeeee"); // no narrower
    EXPECT_EQ(short_id("spiffe://oncology.example/fraud/trainer"), "fraud/trainer");
    EXPECT_EQ(short_id("spiffe://oncology.example"), "spiffe://oncology.example");
    EXPECT_EQ(short_id("uid:0"), "uid:0");
    EXPECT_EQ(minute_of("2026-11-24T02:00:59.5Z"), "2026-11-24 02:00");
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
