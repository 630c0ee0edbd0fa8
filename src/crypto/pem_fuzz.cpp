// SPDX-License-Identifier: Apache-2.0
//
// Whatever a PEM file holds: no more blocks than marks, none longer than the text.
#include "crypto/pem.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const blocks = writ::crypto::parse_pem(text, "CERTIFICATE");
    std::size_t bytes = 0;
    if (blocks.is_ok())
        for (auto const& block : *blocks)
            bytes += block.size();
    if (bytes > size)
        std::abort();
    return 0;
}
