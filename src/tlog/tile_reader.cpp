// SPDX-License-Identifier: Apache-2.0
#include "tlog/tile_reader.h"

namespace writ::tlog {

namespace {

// A file that the log must have: that it is not there is corruption.
Result<Bytes> read_needed(TileStore const& tiles, TileName const& name, std::size_t size_max)
{
    auto bytes = tiles.get(name.path(), size_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return corruption("`" + name.path() + "` is missing");
    if (bytes.is_error() && bytes.error().code == ErrorCode::resource_exhausted)
        return corruption("`" + name.path() + "` is longer than it can be");
    return bytes;
}

// Levels above this one hold no full tile in a tree of any size.
constexpr int levels_max = 8;

} // namespace

Result<std::vector<Hash>> read_tile(TileStore const& tiles, TileName const& name)
{
    auto const bytes = TRY(read_needed(tiles, name, tile_width * sizeof(Hash)));
    return parse_tile(bytes, name.width).in("`" + name.path() + "`");
}

Result<Bytes> read_bundle(TileStore const& tiles, std::uint64_t index, std::uint64_t width)
{
    return read_needed(tiles, { .level = std::nullopt, .index = index, .width = width }, bundle_bytes_max);
}

Result<TiledTree> read_tree(TileStore const& tiles, std::uint64_t size)
{
    ASSERT(size % tile_width == 0);
    std::vector<std::vector<Hash>> levels(1);
    auto count = size / tile_width; // of full tiles of the level below
    for (int level = 0; count > 0; ++level, count /= tile_width) {
        auto& hashes = levels.emplace_back();
        for (auto index = count - count % tile_width; index < count; ++index)
            hashes.push_back(root_of_hashes(TRY(read_tile(tiles, { .level = level, .index = index }))));
    }
    return TiledTree(size, std::move(levels));
}

Result<> check_tiles_are_there(TileStore const& tiles, std::uint64_t dropped, std::uint64_t size)
{
    std::vector<TileStore::Expected> expected;
    for (auto index = dropped / tile_width; index < size / tile_width; ++index)
        expected.push_back({ .path = TileName { .level = std::nullopt, .index = index }.path(), .size = 0 });
    auto count = size / tile_width;
    for (int level = 0; count > 0; ++level, count /= tile_width)
        for (std::uint64_t index = 0; index < count; ++index)
            expected.push_back({ .path = TileName { .level = level, .index = index }.path(), .size = tile_width * sizeof(Hash) });
    auto const damaged = TRY(tiles.find_damaged(expected));
    if (damaged.empty())
        return {};
    return corruption("`" + damaged.front() + "` is missing or cut short"
        + (damaged.size() > 1 ? ", and " + std::to_string(damaged.size() - 1) + " more" : ""));
}

Result<std::span<Hash const>> SubtreeSource::full_tile(int level, std::uint64_t index)
{
    auto kept = kept_.find(level);
    if (kept == kept_.end() || kept->second.index != index) {
        TileName const name { .level = level, .index = index };
        auto const recent = recent_(name);
        auto hashes = TRY(recent ? parse_tile(*recent, tile_width) : read_tile(tiles_, name));
        kept = kept_.insert_or_assign(level, Kept { .index = index, .hashes = std::move(hashes) }).first;
    }
    return std::span<Hash const>(kept->second.hashes);
}

Result<Hash> SubtreeSource::read(Subtree subtree)
{
    constexpr int tile_height = 8;
    auto const level = subtree.level / tile_height;
    auto const height = static_cast<unsigned>(subtree.level % tile_height);
    ASSERT(level < levels_max);
    auto const first = subtree.index << height;
    auto const index = first / tile_width;
    auto const is_edge = index == tree_.size() >> static_cast<unsigned>((level + 1) * tile_height);
    auto const hashes = is_edge ? tree_.partial_hashes(level) : TRY(full_tile(level, index));
    auto const offset = first % tile_width, count = std::uint64_t(1) << height;
    if (offset + count > hashes.size())
        return not_found("a subtree beyond the tree");
    return root_of_hashes(hashes.subspan(offset, count));
}

} // namespace writ::tlog
