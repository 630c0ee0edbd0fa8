// SPDX-License-Identifier: Apache-2.0
//
// Addresses: what is accepted is written in a form that is read as the same address.
#include "net/address.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ::net;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (auto const origin = parse_https_origin(text); origin.is_ok() && parse_address(to_string(origin.value())).is_error())
        std::abort();
    auto const address = parse_address(text);
    if (address.is_error())
        return 0;
    auto const again = parse_address(to_string(address.value()));
    if (again.is_error() || again.value() != address.value())
        std::abort();
    (void)to_socket_address(address.value());
    return 0;
}
