// SPDX-License-Identifier: Apache-2.0
//
// Whatever `dropped` holds: refused, or one text for one number.
#include "tlog/retention.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const first = tlog::parse_dropped(text);
    if (first.is_ok() && text != "entries before " + std::to_string(*first) + " were dropped\n")
        std::abort();
    return 0;
}
