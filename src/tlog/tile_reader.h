// SPDX-License-Identifier: Apache-2.0
//
// Reads tiles and bundles of a log, and hashes of complete subtrees from them. Errors name the file. Private to tlog.
// Thread-compatible.
#pragma once

#include "tlog/log_storage.h"
#include "tlog/tile.h"

#include <map>

namespace writ::tlog {

// LIMIT: a bundle of the longest entries.
inline constexpr std::size_t bundle_bytes_max = tile_width * (2 + 0xffff);

Result<std::vector<Hash>> read_tile(TileStore const&, TileName const&);
Result<Bytes> read_bundle(TileStore const&, std::uint64_t index, std::uint64_t width = tile_width);

// The tree of `size`, all of whose full tiles are in the folder: its right edge is computed from them. REQUIRES: size is a multiple of 256.
Result<TiledTree> read_tree(TileStore const&, std::uint64_t size);

// corruption, naming them, if a full tile or bundle of a tree of `size` is missing or has another length than it must have.
Result<> check_tiles_are_there(TileStore const&, std::uint64_t dropped, std::uint64_t size);

// Full tiles that are not in the store yet; nothing: look there.
using RecentTiles = std::function<std::optional<Bytes>(TileName const&)>;

// Complete subtrees of a tree: from its own right edge, else from full tiles, recent or stored. Keeps the last tile of each level, as proofs ask for them in
// order.
class SubtreeSource {
public:
    SubtreeSource(TileStore const& tiles, RecentTiles recent, TiledTree const& tree)
        : tiles_(tiles)
        , recent_(std::move(recent))
        , tree_(tree)
    {
    }
    Result<Hash> read(Subtree);
    // The source must outlive what it returns.
    SubtreeReader reader()
    {
        return [this](Subtree subtree) { return read(subtree); };
    }

private:
    struct Kept {
        std::uint64_t index;
        std::vector<Hash> hashes;
    };
    Result<std::span<Hash const>> full_tile(int level, std::uint64_t index);

    TileStore const& tiles_;
    RecentTiles recent_;
    TiledTree const& tree_;
    std::map<int, Kept> kept_;
};

} // namespace writ::tlog
