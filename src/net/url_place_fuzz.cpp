// SPDX-License-Identifier: Apache-2.0
//
// URLs that clients say they go to, and that are declared.
#include "net/url_place.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ::net;
    if (size > 2000) // a port that is written out may not take it beyond the limit
        return 0;
    auto const place = parse_url_place(std::string_view(reinterpret_cast<char const*>(data), size));
    if (place.is_error())
        return 0;
    auto const again = parse_url_place(to_string(*place));
    if (again.is_error() || *again != *place || !covers(*place, *again) || !covers({ place->origin, "" }, *place))
        std::abort();
    return 0;
}
