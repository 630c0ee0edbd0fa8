// SPDX-License-Identifier: Apache-2.0
//
// What git says on a helper's standard input: parts of a URL that may come from a repository somebody else wrote.
#include "cli/git_credential.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ::cli;
    auto const url = parse_git_question(std::string_view(reinterpret_cast<char const*>(data), size));
    if (url.is_ok() && (url->find('\n') != std::string::npos || url->find("://") == std::string::npos))
        std::abort();
    return 0;
}
