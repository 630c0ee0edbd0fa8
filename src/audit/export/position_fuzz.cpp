// SPDX-License-Identifier: Apache-2.0
//
// Whatever a file of a position or a declared destination holds: read or refused, never more than a log can have.
#include "audit/export/destination.h"
#include "audit/export/position.h"
#include "tlog/merkle_tree.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const next = writ::audit::parse_position(text);
    if (next.is_ok() && *next > writ::tlog::tree_size_max)
        std::abort();
    auto const destination = writ::audit::parse_destination(text);
    if (destination.is_ok() && writ::audit::parse_destination(destination->text).value() != *destination)
        std::abort();
    return 0;
}
