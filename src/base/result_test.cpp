// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"
#include "base/secret.h"

#include <gtest/gtest.h>
#include <memory>

namespace writ {
namespace {

Result<int> half(int number)
{
    if (number % 2 != 0)
        return invalid_argument("`" + std::to_string(number) + "` is odd");
    return number / 2;
}

Result<int> quarter(int number) { return TRY(half(TRY(half(number)))); }
Result<> check_half(int number)
{
    TRY(half(number));
    return {};
}
Result<std::unique_ptr<int>> boxed(int number) { return std::make_unique<int>(TRY(half(number))); }

TEST(Result, try_hands_values_and_errors_on)
{
    EXPECT_EQ(quarter(8).value(), 2);
    EXPECT_EQ(quarter(6).error().message, "`3` is odd");
    EXPECT_TRUE(check_half(2).is_ok());
    EXPECT_EQ(check_half(3).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(**boxed(4), 2);
}

TEST(Result, context_is_put_in_front)
{
    EXPECT_EQ(half(3).in("load policies").error().message, "load policies: `3` is odd");
    EXPECT_EQ(half(4).in("load policies").value(), 2);
}

TEST(Result, value_of_an_error_is_a_broken_invariant)
{
    EXPECT_DEATH((void)half(3).value(), "broken invariant");
}

TEST(Secret, wipes_what_it_gave_away)
{
    SecretText first(std::string("short"));
    auto const second = std::move(first);
    EXPECT_TRUE(first.is_empty()); // NOLINT(bugprone-use-after-move): that it is empty is the contract
    EXPECT_EQ(second.reveal(), "short");
}

} // namespace
} // namespace writ
