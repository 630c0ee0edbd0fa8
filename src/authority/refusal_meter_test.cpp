// SPDX-License-Identifier: Apache-2.0
#include "authority/refusal_meter.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

using Verdict = RefusalMeter::Verdict;

Monotonic at(int seconds) { return Monotonic(std::chrono::seconds(seconds)); }

int records_of(RefusalMeter& meter, std::string const& uid, int refusals, Monotonic now)
{
    int records = 0;
    for (int i = 0; i < refusals; ++i)
        records += meter.note("node-1", uid, now) != Verdict::count ? 1 : 0;
    return records;
}

TEST(RefusalMeter, what_comes_beyond_the_rate_is_counted_and_nothing_else)
{
    RefusalMeter meter;
    EXPECT_EQ(records_of(meter, "1000", 100, at(0)), 100);
    EXPECT_EQ(meter.note("node-1", "1000", at(0)), Verdict::announce);
    EXPECT_EQ(records_of(meter, "1000", 5000, at(3)), 0);
    EXPECT_EQ(records_of(meter, "1001", 10, at(3)), 10) << "another user has a rate of its own";
    EXPECT_EQ(meter.note("node-2", "1000", at(3)), Verdict::record) << "so has the same user elsewhere";
    auto const counts = meter.take(at(60));
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts[0].uid, "1000");
    EXPECT_EQ(counts[0].refused, 5000U);
    EXPECT_EQ(counts[0].within, std::chrono::seconds(60));
    EXPECT_TRUE(meter.take(at(60)).empty());
}

TEST(RefusalMeter, it_is_announced_once_as_long_as_it_lasts)
{
    RefusalMeter meter;
    records_of(meter, "1000", 100, at(0));
    int announced = 0;
    for (int second = 0; second < 60; ++second) {
        announced += meter.note("node-1", "1000", at(0)) == Verdict::announce ? 1 : 0;
        if (second % 10 == 9) {
            EXPECT_EQ(meter.take(at(0)).size(), 1U);
        }
    }
    EXPECT_EQ(announced, 1);
    EXPECT_TRUE(meter.take(at(0)).empty());
    EXPECT_EQ(meter.note("node-1", "1000", at(0)), Verdict::announce) << "after a while without any it begins anew";
}

TEST(RefusalMeter, a_node_is_bounded_however_many_users_it_has)
{
    RefusalMeter meter;
    int records = 0;
    for (int user = 0; user < 20'000; ++user)
        records += records_of(meter, std::to_string(user), 2, at(0));
    EXPECT_EQ(records, 1001);
    auto const counts = meter.take(at(60));
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts[0].uid, "");
    EXPECT_EQ(counts[0].refused, 40'000U - 1001U);
}

TEST(RefusalMeter, time_gives_records_back)
{
    RefusalMeter meter;
    records_of(meter, "1000", 200, at(0));
    EXPECT_EQ(records_of(meter, "1000", 50, at(105)), 10);
    (void)meter.take(at(105));
    (void)meter.take(at(10'000));
    EXPECT_EQ(records_of(meter, "1000", 150, at(10'000)), 101);
}

} // namespace
} // namespace writ::authority
