// SPDX-License-Identifier: Apache-2.0
#include "tlog/tile.h"

#include <gtest/gtest.h>

namespace writ::tlog {
namespace {

TEST(TileName, has_one_path_that_reads_back)
{
    std::vector<std::pair<TileName, std::string>> const cases = {
        { { .level = 0, .index = 0 }, "tile/0/000" },
        { { .level = 0, .index = 1'234'067, .width = 5 }, "tile/0/x001/x234/067.p/5" },
        { { .level = 63, .index = 999, .width = 255 }, "tile/63/999.p/255" },
        { { .level = std::nullopt, .index = 1000 }, "tile/entries/x001/000" },
    };
    for (auto const& [name, path] : cases) {
        EXPECT_EQ(name.path(), path);
        EXPECT_EQ(parse_tile_path(path).value(), name);
    }
}

TEST(TileName, other_paths_are_refused)
{
    for (auto const* const path : { "", "tile", "tile/0", "tile/0/", "tile/0/0", "tile/00/000", "tile/64/000", "tile/-1/000", "tile/0/1000",
             "tile/0/x000/001", "tile/0/x001/x000", "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256",
             "tile/0/000.p/01", "tile/0/000.p/5/", "tile/0/000/5", "tile/0/000 ", "/tile/0/000", "tile/data/000", "tile/0/../../verifier",
             "tile/0/x999/x999/x999/x999/x999/x999/x999/999" })
        EXPECT_EQ(parse_tile_path(path).error().code, ErrorCode::invalid_argument) << path;
}

TEST(Bundle, reads_back_its_entries_and_refuses_others)
{
    Bytes bundle;
    append_entry(bundle, as_bytes("one"));
    append_entry(bundle, as_bytes(""));
    append_entry(bundle, Bytes(0xffff, 7));
    auto const entries = parse_bundle(bundle, 3).value();
    EXPECT_EQ(as_text(entries[0]), "one");
    EXPECT_TRUE(entries[1].empty());
    EXPECT_EQ(entries[2].size(), 0xffffU);
    EXPECT_TRUE(parse_bundle(bundle, 2).is_error());
    EXPECT_TRUE(parse_bundle(bundle, 4).is_error());
    EXPECT_TRUE(parse_bundle(BytesView(bundle).first(bundle.size() - 1), 3).is_error());
    EXPECT_TRUE(parse_bundle(Bytes { 0 }, 1).is_error());
}

// Around the sizes where tiles fill, the tiles say the same as the plain tree.
TEST(TiledTree, has_the_roots_and_tiles_of_the_tree)
{
    TiledTree tiled;
    TreeEdge edge;
    std::vector<TileFile> filled;
    for (std::uint64_t size = 0; size < 66'000; ++size) {
        if (size < 600 || size > 65'530)
            ASSERT_EQ(tiled.root(), edge.root()) << size;
        auto const leaf = leaf_hash(to_bytes(std::to_string(size)));
        tiled.append(leaf, filled);
        edge.append(leaf);
    }
    ASSERT_EQ(filled.size(), 66'000 / 256 + 1);
    EXPECT_EQ(filled[0].name.path(), "tile/0/000");
    EXPECT_EQ(filled[256].name.path(), "tile/1/000");
    auto const level_one = parse_tile(filled[256].bytes, tile_width).value();
    EXPECT_EQ(level_one[3], root_of_hashes(parse_tile(filled[3].bytes, tile_width).value()));

    // SPEC: C2SP tlog-tiles's own example is of 70,000; the same by its rule for 66,000.
    std::vector<std::string> paths;
    for (auto const& file : tiled.partial_tiles())
        paths.push_back(file.name.path());
    EXPECT_EQ(paths, (std::vector<std::string> { "tile/0/257.p/208", "tile/1/001.p/1", "tile/2/000.p/1" }));
}

} // namespace
} // namespace writ::tlog
