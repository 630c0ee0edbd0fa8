// SPDX-License-Identifier: Apache-2.0
//
// The files of a tiled log (https://c2sp.org/tlog-tiles): their paths, what is in them, and the tree that grows tile by tile.
// Thread-compatible.
#pragma once

#include "base/durable_file.h"
#include "tlog/merkle_tree.h"

#include <optional>
#include <string>
#include <vector>

namespace writ::tlog {

inline constexpr std::uint64_t tile_width = 256; // hashes or entries of a full tile

// Names one tile or bundle of entries.
struct TileName {
    std::optional<int> level; // none: a bundle of entries
    std::uint64_t index = 0;
    std::uint64_t width = tile_width; // less: a partial one

    [[nodiscard]] bool is_full() const { return width == tile_width; }
    [[nodiscard]] std::string path() const; // `tile/0/x001/234.p/5`, `tile/entries/000`
    [[nodiscard]] TileName full() const { return { .level = level, .index = index }; }
    auto operator<=>(TileName const&) const = default;
};
// Only what path() writes; invalid_argument for anything else.
Result<TileName> parse_tile_path(std::string_view);

// The folder that holds the partial ones of this tile: `tile/0/x001/234.p`.
std::string partial_folder(TileName const&);

Bytes tile_bytes(std::span<Hash const>);
Result<std::vector<Hash>> parse_tile(BytesView, std::uint64_t width);

// An entry as bundles hold it: a 16-bit length, most significant byte first, and the entry.
void append_entry(Bytes& bundle, BytesView entry);
Result<std::vector<BytesView>> parse_bundle(BytesView, std::uint64_t width); // views into the bundle

// The root of a full tile, or of any power of two of hashes.
Hash root_of_hashes(std::span<Hash const>);

struct TileFile {
    TileName name;
    Bytes bytes;
};

// A tree as the tiles on its right edge. Copies are cheap: at most 8 KiB a level.
class TiledTree {
public:
    TiledTree() = default;
    // `levels` are the hashes of the partial tile of each level at that size.
    TiledTree(std::uint64_t size, std::vector<std::vector<Hash>> levels);

    // Puts the tiles that this leaf filled behind `filled`.
    void append(Hash const& leaf, std::vector<TileFile>& filled);
    [[nodiscard]] std::uint64_t size() const { return size_; }
    [[nodiscard]] Hash root() const;
    [[nodiscard]] std::vector<TileFile> partial_tiles() const;
    // The hashes of the partial tile on a level; empty if there is none.
    [[nodiscard]] std::span<Hash const> partial_hashes(int level) const;

private:
    std::uint64_t size_ = 0;
    std::vector<std::vector<Hash>> levels_;
};

} // namespace writ::tlog
