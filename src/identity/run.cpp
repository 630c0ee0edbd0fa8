// SPDX-License-Identifier: Apache-2.0
#include "identity/run.h"

namespace writ::identity {

namespace {
constexpr std::string_view run_prefix = "run-";
constexpr std::size_t run_characters = 20; // 100 bits: never guessed, never met twice
} // namespace

std::string new_run_id(RandomSource& random) { return std::string(run_prefix) + random.base32(run_characters); }

bool is_run_id(std::string_view text)
{
    return text.size() == run_prefix.size() + run_characters && text.starts_with(run_prefix)
        && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz234567", run_prefix.size()) == std::string_view::npos;
}

} // namespace writ::identity
