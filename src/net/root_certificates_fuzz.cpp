// SPDX-License-Identifier: Apache-2.0
//
// PEM files that an operator names.
#include "net/root_certificates.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    (void)writ::net::parse_pem_certificates(std::string_view(reinterpret_cast<char const*>(data), size)).is_ok();
    return 0;
}
