// SPDX-License-Identifier: Apache-2.0
#include "authority/lease_clock.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

Timestamp wall(Duration since) { return from_unix_seconds(1'800'000'000) + since; }
Monotonic passed(Duration since) { return Monotonic(seconds(1000) + since); }

TEST(LeaseClock, is_the_wall_clock_as_long_as_nobody_sets_it)
{
    LeaseClock clock(wall(seconds(0)), passed(seconds(0)));
    for (int second = 1; second < 1000; ++second)
        EXPECT_EQ(clock.look(wall(seconds(second)), passed(seconds(second))), wall(seconds(second)));
    EXPECT_FALSE(clock.was_set_forward());
}

TEST(LeaseClock, a_step_forward_holds_only_after_a_while_in_which_time_goes_on)
{
    LeaseClock clock(wall(seconds(0)), passed(seconds(0)));
    EXPECT_EQ(clock.look(wall(hours(5) + seconds(1)), passed(seconds(1))), wall(seconds(1)));
    EXPECT_TRUE(clock.was_set_forward());
    EXPECT_EQ(clock.look(wall(hours(5) + seconds(100)), passed(seconds(100))), wall(seconds(100)));
    EXPECT_FALSE(clock.was_set_forward()) << "it is told once";
    EXPECT_EQ(clock.look(wall(hours(5) + seconds(360)), passed(seconds(360))), wall(seconds(360)));
    EXPECT_EQ(clock.look(wall(hours(5) + seconds(361)), passed(seconds(361))), wall(hours(5) + seconds(361)));
    EXPECT_EQ(clock.look(wall(hours(5) + seconds(362)), passed(seconds(362))), wall(hours(5) + seconds(362)));
}

TEST(LeaseClock, several_steps_are_one_and_a_step_back_ends_it)
{
    LeaseClock clock(wall(seconds(0)), passed(seconds(0)));
    EXPECT_EQ(clock.look(wall(hours(1) + seconds(1)), passed(seconds(1))), wall(seconds(1)));
    EXPECT_EQ(clock.look(wall(hours(3) + seconds(2)), passed(seconds(2))), wall(seconds(2)));
    EXPECT_EQ(clock.look(wall(hours(1) + seconds(3)), passed(seconds(3))), wall(seconds(3)));
    EXPECT_EQ(clock.look(wall(seconds(4)), passed(seconds(4))), wall(seconds(4)));
    EXPECT_EQ(clock.look(wall(seconds(5) - hours(1)), passed(seconds(5))), wall(seconds(5) - hours(1))) << "what is set back holds at once: leases live no longer than was said";
}

} // namespace
} // namespace writ::authority
