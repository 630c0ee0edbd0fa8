// SPDX-License-Identifier: Apache-2.0
#include "base/log_quota.h"

#include <gtest/gtest.h>

namespace writ {
namespace {

int lines_of(LogQuota& quota, std::string const& who, int times)
{
    int lines = 0;
    for (int i = 0; i < times; ++i)
        lines += quota.next(who) ? 1 : 0;
    return lines;
}

TEST(LogQuota, a_flood_has_few_lines_and_the_next_one_says_how_many_it_had)
{
    ManualClock clock(from_unix_seconds(0));
    LogQuota quota(clock);
    EXPECT_EQ(quota.next("uid 1000"), 0U);
    EXPECT_EQ(lines_of(quota, "uid 1000", 10'000), 49);
    EXPECT_EQ(lines_of(quota, "uid 1001", 10), 10) << "nobody's flood hides another's lines";
    clock.advance(std::chrono::seconds(10));
    EXPECT_EQ(quota.next("uid 1000"), 10'000U - 49U);
    EXPECT_FALSE(quota.next("uid 1000"));
    clock.advance(std::chrono::seconds(10));
    EXPECT_EQ(quota.next("uid 1000"), 1U);
}

TEST(LogQuota, those_beyond_the_limit_share_and_nothing_grows_without_end)
{
    ManualClock clock(from_unix_seconds(0));
    LogQuota quota(clock);
    int lines = 0;
    for (int who = 0; who < 100'000; ++who)
        lines += quota.next(std::to_string(who)) ? 1 : 0;
    EXPECT_LE(lines, 1000 + 50);
    clock.advance(std::chrono::hours(1));
    EXPECT_EQ(quota.next("new"), 0U) << "who was silent for long makes room";
}

} // namespace
} // namespace writ
