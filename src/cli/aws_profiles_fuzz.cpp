// SPDX-License-Identifier: Apache-2.0
//
// Whatever lies in ~/.aws: the names that are found are written into a configuration that has the same.
#include "cli/aws_profiles.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ::cli;
    auto names = aws_profile_names(std::string_view(reinterpret_cast<char const*>(data), size));
    auto const again = aws_profile_names(aws_config_text(names, "r", "c"));
    names.insert("default");
    if (again != names && names.size() <= aws_profiles_max)
        std::abort();
    return 0;
}
