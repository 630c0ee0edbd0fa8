// SPDX-License-Identifier: Apache-2.0
#include "authority/record_meter.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

constexpr std::uint64_t rate = 1000; // bytes a second
constexpr std::size_t burst = rate * record_burst_seconds;

Monotonic at(int seconds) { return Monotonic(std::chrono::seconds(seconds)); }

TEST(RecordMeter, what_is_owed_is_waited_for_and_no_longer)
{
    RecordMeter meter(rate);
    meter.charge("a", burst - 1, at(0));
    EXPECT_FALSE(meter.refuse("a", at(0)));
    meter.charge("a", 10'001, at(0)); // a request may cost more than is left
    EXPECT_EQ(meter.refuse("a", at(0)), std::chrono::seconds(11));
    EXPECT_EQ(meter.refuse("a", at(4)), std::chrono::seconds(7));
    EXPECT_FALSE(meter.refuse("a", at(11)));
    EXPECT_FALSE(meter.refuse("b", at(0))) << "another has an account of its own";
}

TEST(RecordMeter, what_was_refused_is_counted_and_nothing_else)
{
    RecordMeter meter(rate);
    meter.charge("a", burst * 2, at(0));
    meter.charge("b", 5, at(0));
    for (int i = 0; i < 7; ++i)
        EXPECT_TRUE(meter.refuse("a", at(3)));
    EXPECT_FALSE(meter.refuse("b", at(3)));
    auto const counts = meter.take(at(60));
    ASSERT_EQ(counts.size(), 1U);
    EXPECT_EQ(counts[0].key, "a");
    EXPECT_EQ(counts[0].refused, 7U);
    EXPECT_EQ(counts[0].within, std::chrono::seconds(60));
    EXPECT_TRUE(meter.take(at(120)).empty());
    EXPECT_TRUE(meter.refuse("a", at(120))) << "to be counted is not to be forgiven";
}

TEST(RecordMeter, without_a_rate_and_without_a_name_nobody_is_bounded)
{
    RecordMeter unbounded(0);
    unbounded.charge("a", burst * 100, at(0));
    EXPECT_FALSE(unbounded.refuse("a", at(0)));
    RecordMeter meter(rate);
    meter.charge("", burst * 100, at(0));
    EXPECT_FALSE(meter.refuse("", at(0)));
}

TEST(RecordMeter, names_beyond_the_limit_share_what_one_has)
{
    RecordMeter meter(rate);
    for (int i = 0; i < 10'000; ++i)
        meter.charge(std::to_string(i), 1, at(0));
    meter.charge("one more", burst * 2, at(0));
    EXPECT_TRUE(meter.refuse("and another", at(0)));
    EXPECT_FALSE(meter.refuse("17", at(0)));
}

TEST(RecordMeter, who_is_bounded)
{
    auto const agent = "spiffe://acme.ai/writ/agent/node-1";
    EXPECT_EQ(RecordMeter::key_of("spiffe://acme.ai/gateway", "spiffe://acme.ai/trainer"), "spiffe://acme.ai/gateway");
    EXPECT_EQ(RecordMeter::key_of(agent, "spiffe://acme.ai/trainer"), std::string(agent) + " spiffe://acme.ai/trainer");
    EXPECT_EQ(RecordMeter::key_of(agent, ""), "") << "no workload: the RefusalMeter's";
    EXPECT_EQ(RecordMeter::key_of("uid:0", "spiffe://acme.ai/trainer"), "");
    EXPECT_EQ(RecordMeter::key_of("authority", "spiffe://acme.ai/trainer"), "");
}

} // namespace
} // namespace writ::authority
