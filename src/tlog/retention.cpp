// SPDX-License-Identifier: Apache-2.0
#include "tlog/retention.h"

#include <charconv>

namespace writ::tlog {

namespace {

constexpr char const* object = "dropped";
constexpr std::size_t size_max = 64;

std::string text_of(std::uint64_t first_kept) { return "entries before " + std::to_string(first_kept) + " were dropped\n"; }

} // namespace

Result<std::uint64_t> parse_dropped(std::string_view text)
{
    constexpr std::string_view head = "entries before ";
    std::uint64_t first = 0;
    if (text.starts_with(head))
        std::from_chars(text.data() + head.size(), text.data() + text.size(), first);
    if (first == 0 || first % tile_width != 0 || first > tree_size_max || text_of(first) != text)
        return corruption("`dropped` is not what was written");
    return first;
}

Result<std::uint64_t> read_dropped(TileStore const& tiles)
{
    auto const bytes = tiles.get(object, size_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return std::uint64_t(0);
    return parse_dropped(as_text(TRY(bytes)));
}

Result<> write_dropped(TileStore& tiles, std::uint64_t first_kept)
{
    ASSERT(first_kept % tile_width == 0);
    TRY(tiles.replace(object, as_bytes(text_of(first_kept))));
    return tiles.settle({ object });
}

void remove_bundles(TileStore& tiles, std::uint64_t from, std::uint64_t to)
{
    for (auto index = from / tile_width; index < to / tile_width; ++index) {
        TileName const name { .level = std::nullopt, .index = index };
        tiles.remove(partial_folder(name)); // first: alone it would be a part of nothing
        tiles.remove(name.path());
    }
}

Error dropped_error(std::uint64_t index) { return not_found("entry " + std::to_string(index) + " was dropped by retention; its hash is kept"); }

} // namespace writ::tlog
