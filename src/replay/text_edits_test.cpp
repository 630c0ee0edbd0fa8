// SPDX-License-Identifier: Apache-2.0
#include "replay/text_edits.h"

#include <gtest/gtest.h>

using namespace writ::replay;

TEST(TextEdits, replace_insert_and_remove)
{
    EXPECT_EQ(edited("one two three", { { 0, 3, "1" }, { 4, 7, "" }, { 13, 13, "!" } }), "1  three!");
    EXPECT_EQ(edited("same", {}), "same");
    EXPECT_EQ(unified_difference("f", "same\n", {}), "");
}

TEST(TextEdits, show_whole_lines)
{
    EXPECT_EQ(unified_difference("f", "a\nb b\nc\nd\n", { { 2, 3, "x\ny" }, { 4, 7, "" } }), "--- f\n+++ f\n@@ -2,2 +2,2 @@\n-b b\n-c\n+x\n+y \n");
    EXPECT_EQ(unified_difference("f", "a\nb b\nc\nd\n", { { 2, 3, "x\ny" }, { 6, 8, "" } }), "--- f\n+++ f\n@@ -2 +2,2 @@\n-b b\n+x\n+y b\n@@ -3 +3,0 @@\n-c\n");
    EXPECT_EQ(unified_difference("f", "a\nb\nc\nd\n", { { 2, 4, "" }, { 6, 7, "D" } }), "--- f\n+++ f\n@@ -2 +1,0 @@\n-b\n@@ -4 +3 @@\n-d\n+D\n");
    EXPECT_EQ(unified_difference("f", "a", { { 0, 1, "b" } }), "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n");
}
