// SPDX-License-Identifier: Apache-2.0
#include "cli/number_option.h"

#include <charconv>
#include <string>
#include <string_view>

namespace writ::cli {

namespace {

bool is_within(std::string_view text, std::uint64_t min, std::uint64_t max)
{
    std::uint64_t number = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    auto const is_padded = text.size() > 1 && text.front() == '0'; // octal to CLI11, decimal to whoever pads
    return error == std::errc() && end == text.data() + text.size() && !is_padded && number >= min && number <= max;
}

std::string bounds(std::uint64_t min, std::uint64_t max)
{
    return max == number_max ? std::to_string(min) + " or more" : std::to_string(min) + " to " + std::to_string(max);
}

} // namespace

CLI::Validator number_from(std::uint64_t min, std::uint64_t max)
{
    auto const check = [min, max](std::string const& text) {
        return is_within(text, min, max) ? std::string() : "`" + text.substr(0, 40) + "` is no number of " + bounds(min, max);
    };
    CLI::Validator validator(max == number_max ? std::string() : bounds(min, max));
    validator.operation([check](std::string& text) { return check(text); });
    return validator;
}

} // namespace writ::cli
