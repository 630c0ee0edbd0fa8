// SPDX-License-Identifier: Apache-2.0
#include "tlog/tile_reader.h"

namespace writ::tlog {

namespace {

// A file that the log must have: that it is not there is corruption.
Result<Bytes> read_needed(Path const& log_folder, TileName const& name, std::size_t size_max)
{
    auto bytes = read_file(log_folder / name.path(), size_max);
    if (bytes.is_error() && bytes.error().code == ErrorCode::not_found)
        return corruption("`" + name.path() + "` is missing");
    if (bytes.is_error() && bytes.error().code == ErrorCode::resource_exhausted)
        return corruption("`" + name.path() + "` is longer than it can be");
    return bytes;
}

// Levels above this one hold no full tile in a tree of any size.
constexpr int levels_max = 8;

} // namespace

Result<std::vector<Hash>> read_tile(Path const& log_folder, TileName const& name)
{
    auto const bytes = TRY(read_needed(log_folder, name, tile_width * sizeof(Hash)));
    return parse_tile(bytes, name.width).in("`" + name.path() + "`");
}

Result<Bytes> read_bundle(Path const& log_folder, std::uint64_t index, std::uint64_t width)
{
    return read_needed(log_folder, { .level = std::nullopt, .index = index, .width = width }, bundle_bytes_max);
}

Result<TiledTree> read_tree(Path const& log_folder, std::uint64_t size)
{
    ASSERT(size % tile_width == 0);
    std::vector<std::vector<Hash>> levels(1);
    auto tiles = size / tile_width; // full ones of the level below
    for (int level = 0; tiles > 0; ++level, tiles /= tile_width) {
        auto& hashes = levels.emplace_back();
        for (auto index = tiles - tiles % tile_width; index < tiles; ++index)
            hashes.push_back(root_of_hashes(TRY(read_tile(log_folder, { .level = level, .index = index }))));
    }
    return TiledTree(size, std::move(levels));
}

Result<std::span<Hash const>> SubtreeSource::full_tile(int level, std::uint64_t index)
{
    auto kept = kept_.find(level);
    if (kept == kept_.end() || kept->second.index != index) {
        auto hashes = TRY(read_tile(folder_, { .level = level, .index = index }));
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
