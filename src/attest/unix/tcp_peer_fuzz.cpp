// SPDX-License-Identifier: Apache-2.0
//
// /proc/net/tcp: the kernel's own text, cut anywhere.
#include "attest/unix/tcp_peer.h"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    (void)writ::attest::find_in_tcp_table(std::string_view(reinterpret_cast<char const*>(data), size), 8080, 443);
    return 0;
}
