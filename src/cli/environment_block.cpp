// SPDX-License-Identifier: Apache-2.0
#include "cli/environment_block.h"

namespace writ::cli {

namespace {

Result<std::uint64_t> take(EnvironmentBlock& block, std::function<Result<std::uint64_t>(std::size_t)> const& word)
{
    if (block.words.size() >= stack_words_max)
        return corruption("the new program's stack has no end");
    auto const value = TRY(word(block.words.size()));
    block.words.push_back(value);
    return value;
}

} // namespace

Result<EnvironmentBlock> read_environment_block(std::function<Result<std::uint64_t>(std::size_t)> const& word)
{
    EnvironmentBlock block;
    auto const argument_count = TRY(take(block, word));
    for (std::uint64_t i = 0; i < argument_count; ++i)
        TRY(take(block, word));
    if (TRY(take(block, word)) != 0)
        return corruption("the new program's stack is not as the ABI has it");
    block.environment_begin = block.words.size();
    while (TRY(take(block, word)) != 0) { }
    block.environment_end = block.words.size() - 1;
    // Pairs of type and value; type 0 (AT_NULL) ends it.
    for (bool is_last = false; !is_last;) {
        is_last = TRY(take(block, word)) == 0;
        TRY(take(block, word));
    }
    return block;
}

Result<std::vector<std::uint64_t>> with_environment(EnvironmentBlock const& block, std::vector<std::uint64_t> const& variables)
{
    if (variables.size() > block.environment_end - block.environment_begin)
        return resource_exhausted("too many variables for the new program's environment");
    using Offset = std::vector<std::uint64_t>::difference_type;
    std::vector<std::uint64_t> words(block.words.begin(), block.words.begin() + static_cast<Offset>(block.environment_begin));
    words.insert(words.end(), variables.begin(), variables.end());
    // The null behind the variables, and the auxiliary vector, which programs look for right behind it.
    words.insert(words.end(), block.words.begin() + static_cast<Offset>(block.environment_end), block.words.end());
    return words;
}

} // namespace writ::cli
