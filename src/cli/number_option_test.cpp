// SPDX-License-Identifier: Apache-2.0
#include "cli/number_option.h"

#include <gtest/gtest.h>
#include <optional>

using namespace writ::cli;

namespace {

// What an option has become, or nothing if it was refused.
std::optional<std::uint64_t> parsed(std::string const& text, std::uint64_t min, std::uint64_t max = number_max)
{
    CLI::App app;
    std::uint64_t number = 0;
    app.add_option("--number", number)->check(number_from(min, max));
    try {
        app.parse("--number=" + text);
    } catch (CLI::ParseError const&) {
        return std::nullopt;
    }
    return number;
}

} // namespace

TEST(NumberOption, takes_decimal_numbers_within_their_bounds)
{
    EXPECT_EQ(parsed("0", 0), 0U);
    EXPECT_EQ(parsed("7", 0), 7U);
    EXPECT_EQ(parsed("9223372036854775807", 0), 9223372036854775807U);
    EXPECT_EQ(parsed("1000", 1, 1000), 1000U);
}

TEST(NumberOption, refuses_what_would_become_another_number)
{
    for (auto const* const text : { "-1", "+1", "010", "0x10", "1e3", "1.5", "", "seven", "9223372036854775808", "18446744073709551616", "99999999999999999999999" })
        EXPECT_EQ(parsed(text, 0), std::nullopt) << text;
    EXPECT_EQ(parsed("0", 1, 1000), std::nullopt);
    EXPECT_EQ(parsed("1001", 1, 1000), std::nullopt);
    EXPECT_EQ(number_from(0, 9)("-1"), "`-1` is no number of 0 to 9");
}
