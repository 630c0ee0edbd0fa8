// SPDX-License-Identifier: Apache-2.0
#include "authority/retention_keeper.h"

#include <gtest/gtest.h>

namespace writ::authority {

TEST(RetentionLimits, ages_and_sizes_are_read_with_their_units)
{
    EXPECT_EQ(parse_retention_age("400d").value(), Duration(std::chrono::hours(24 * 400)));
    EXPECT_EQ(parse_retention_age("1h").value(), Duration(std::chrono::hours(1)));
    EXPECT_EQ(parse_retention_size("10GB").value(), 10'000'000'000U);
    EXPECT_EQ(parse_retention_size("1MB").value(), 1'000'000U);
    for (auto const* text : { "", "d", "400", "0d", "-1d", "1.5d", "99999999d", "36501d", "10m" })
        EXPECT_TRUE(parse_retention_age(text).is_error()) << text;
    for (auto const* text : { "", "GB", "10", "0MB", "1KB", "10 GB", "99999999TB" })
        EXPECT_TRUE(parse_retention_size(text).is_error()) << text;
}

} // namespace writ::authority
