// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <gtest/gtest.h>

namespace writ {
namespace {

TEST(Rfc3339, round_trips)
{
    for (auto const* text : { "1970-01-01T00:00:00.000000Z", "2026-11-23T20:05:41.123456Z", "2000-02-29T23:59:59.999999Z", "0001-01-01T00:00:00.000000Z" })
        EXPECT_EQ(to_rfc3339(parse_rfc3339(text).value()), text);
}

TEST(Rfc3339, reads_offsets_and_fractions)
{
    EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-11-23t20:05:41+01:30").value()), "2026-11-23T18:35:41.000000Z");
    EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-11-23T20:05:41.5-00:00").value()), "2026-11-23T20:05:41.500000Z");
    EXPECT_EQ(to_rfc3339(parse_rfc3339("2026-11-23T20:05:41.123456789Z").value()), "2026-11-23T20:05:41.123456Z");
}

TEST(Rfc3339, refuses_what_is_no_time)
{
    for (auto const* text : { "", "2026-11-23", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-11-23T24:00:00Z", "2026-11-23T20:05:60Z",
             "2026-11-23T20:05:41", "2026-11-23T20:05:41.Z", "2026-11-23T20:05:41Zx", "2026-11-23 20:05:41Z", "0000-01-01T00:00:00Z" })
        EXPECT_TRUE(parse_rfc3339(text).is_error()) << text;
}

} // namespace
} // namespace writ
