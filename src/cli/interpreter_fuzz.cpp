// SPDX-License-Identifier: Apache-2.0
//
// Whatever a job is started as: its first line, and what it hands its arguments to.
#include "cli/python_environment.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const script(reinterpret_cast<char const*>(data), size);
    std::string line = "#!";
    auto const words = writ::cli::interpreter_words(script);
    for (auto const& word : words)
        line += " " + word;
    if (writ::cli::interpreter_words(line + "\nmore") != words)
        std::abort();
    if (auto const python = writ::cli::wrapped_python(script, "/nowhere/script"); !python.empty() && !python.is_absolute())
        std::abort();
    return 0;
}
