// SPDX-License-Identifier: Apache-2.0
#include "cli/time_option.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::cli;

TEST(TimeOption, takes_a_time_or_a_span_before_now)
{
    auto const now = from_unix_seconds(1'800'000'000);
    EXPECT_EQ(parse_time_option("90s", now).value(), now - std::chrono::seconds(90));
    EXPECT_EQ(parse_time_option("30m", now).value(), now - std::chrono::minutes(30));
    EXPECT_EQ(parse_time_option("2h", now).value(), now - std::chrono::hours(2));
    EXPECT_EQ(parse_time_option("7d", now).value(), now - std::chrono::hours(168));
    EXPECT_EQ(parse_time_option("4w", now).value(), now - std::chrono::hours(672));
    EXPECT_EQ(parse_time_option("1970-01-01T00:00:10Z", now).value(), from_unix_seconds(10));
}

TEST(TimeOption, refuses_everything_else)
{
    auto const now = from_unix_seconds(1'800'000'000);
    for (auto const* text : { "", "h", "-1h", "2 h", "2x", "h2", "2hh", "yesterday", "99999999999999d", "9223372036854775807d" })
        EXPECT_EQ(parse_time_option(text, now).error().code, ErrorCode::invalid_argument) << text;
}
