// SPDX-License-Identifier: Apache-2.0
#include "authority/clock_watch.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp noon { seconds(1'790'000'000) };
constexpr Monotonic up { seconds(100) };

TEST(ClockWatch, says_nothing_while_both_clocks_go_together)
{
    ClockWatch watch(noon, up);
    EXPECT_FALSE(watch.look(noon + seconds(1), up + seconds(1)));
    EXPECT_FALSE(watch.look(noon + seconds(3600), up + seconds(3600)));
    // Slewing.
    EXPECT_FALSE(watch.look(noon + seconds(3601) + milliseconds(900), up + seconds(3601)));
}

TEST(ClockWatch, notices_each_step_once_and_its_direction)
{
    ClockWatch watch(noon, up);
    EXPECT_EQ(watch.look(noon - seconds(3600), up + seconds(1)), Duration(-seconds(3601)));
    EXPECT_FALSE(watch.look(noon - seconds(3599), up + seconds(2)));
    EXPECT_EQ(watch.look(noon, up + seconds(2)), Duration(seconds(3599)));
}

TEST(ClockWatch, tells_a_step_in_words)
{
    EXPECT_EQ(describe_step(-std::chrono::hours(1)), "the clock was set back by 3600.0 s");
    EXPECT_EQ(describe_step(milliseconds(1500)), "the clock was set forward by 1.5 s");
}

} // namespace
} // namespace writ::authority
