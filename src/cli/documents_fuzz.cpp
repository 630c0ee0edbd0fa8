// SPDX-License-Identifier: Apache-2.0
//
// ${NAME} in declared files.
#include "cli/documents.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    (void)writ::cli::expand_settings(text, "a.yaml", { { "A", "1" }, { "B", "${A}" } }).is_ok();
    return 0;
}
