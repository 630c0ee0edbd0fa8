// SPDX-License-Identifier: Apache-2.0
//
// Forms: what is accepted is read again, alike, from what it is written as.
#include "net/http_message.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ::net;
    auto const form = parse_form(std::string_view(reinterpret_cast<char const*>(data), size));
    if (form.is_error())
        return 0;
    auto const again = parse_form(to_form(form.value()));
    if (again.is_error() || !std::equal(form.value().begin(), form.value().end(), again.value().begin(), again.value().end()))
        std::abort();
    return 0;
}
