// SPDX-License-Identifier: Apache-2.0
//
// Numbers as people type them: decimal, and within bounds. CLI11 by itself takes `-1` for the greatest number there is, what is greater still for that
// one too, and `010` for eight.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>

namespace writ::cli {

// What records, times and counts are at most: they are signed in JSON.
inline constexpr std::uint64_t number_max = INT64_MAX;

// A check for an option of any integer type that holds the bounds: `add_option(…)->check(number_from(0))`.
CLI::Validator number_from(std::uint64_t min, std::uint64_t max = number_max);

} // namespace writ::cli
