// SPDX-License-Identifier: Apache-2.0
#include "tlog/folder_root.h"

#include "tlog/folder_tiles.h"
#include "tlog/tile_reader.h"

namespace writ::tlog {

Result<Hash> root_at(Path const& folder, std::uint64_t size, std::uint64_t published)
{
    if (size > published)
        return invalid_argument("a tree of " + std::to_string(size) + " entries is not published");
    FolderTiles const tiles(folder);
    auto tree = TRY(read_tree(tiles, size - size % tile_width));
    if (tree.size() == size)
        return tree.root();
    auto const index = size / tile_width;
    auto const width = index == published / tile_width ? published % tile_width : tile_width;
    auto const hashes = TRY(read_tile(tiles, { .level = 0, .index = index, .width = width }));
    std::vector<TileFile> filled;
    for (std::uint64_t i = 0; i < size % tile_width; ++i)
        tree.append(hashes[i], filled);
    return tree.root();
}

} // namespace writ::tlog
