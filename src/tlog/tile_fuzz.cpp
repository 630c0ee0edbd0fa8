// SPDX-License-Identifier: Apache-2.0
//
// Paths of tiles and bundles of entries: what reads has one way to be written.
#include "tlog/tile.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    using namespace writ::tlog;
    BytesView const input { bytes, size };
    if (auto const name = parse_tile_path(as_text(input)); name.is_ok())
        ASSERT(name->path() == as_text(input) && name->width >= 1 && name->width <= tile_width);
    if (size == 0)
        return 0;
    auto const width = std::uint64_t(bytes[0]) + 1;
    if (auto const entries = parse_bundle(input.subspan(1), width); entries.is_ok()) {
        Bytes again;
        for (auto const entry : *entries)
            append_entry(again, entry);
        ASSERT(entries->size() == width && std::ranges::equal(again, input.subspan(1)));
    }
    if (auto const hashes = parse_tile(input.subspan(1), width); hashes.is_ok())
        ASSERT(std::ranges::equal(tile_bytes(*hashes), input.subspan(1)));
    return 0;
}
