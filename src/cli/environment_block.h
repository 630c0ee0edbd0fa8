// SPDX-License-Identifier: Apache-2.0
//
// The words that the kernel puts on a new program's stack: argc, argv, envp and the auxiliary vector (System V ABI, AMD64 §3.4.1; AArch64
// has the same). Rewritten before the program's first instruction, they are all that it ever knows of its environment.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace writ::cli {

// LIMIT: words up to the end of the auxiliary vector; the kernel allows far fewer arguments than this would hold.
inline constexpr std::size_t stack_words_max = 1U << 20U;

struct EnvironmentBlock {
    std::vector<std::uint64_t> words;  // from argc to the auxiliary vector's end (AT_NULL and its value)
    std::size_t environment_begin = 0; // index of the first pointer to a variable
    std::size_t environment_end = 0;   // index of the null behind the last
};

// Reads words one after another until the block is whole. corruption: it is none, or longer than the limit.
Result<EnvironmentBlock> read_environment_block(std::function<Result<std::uint64_t>(std::size_t)> const& word);

// The block with these variables (addresses of their texts) in place of its own; never longer than it was. resource_exhausted: more than
// there were.
Result<std::vector<std::uint64_t>> with_environment(EnvironmentBlock const&, std::vector<std::uint64_t> const& variables);

} // namespace writ::cli
