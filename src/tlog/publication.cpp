// SPDX-License-Identifier: Apache-2.0
#include "tlog/publication.h"

#include <algorithm>

namespace writ::tlog {

namespace {

// LIMIT: partial bundles that stay readable for whoever has just read a checkpoint. Each is as long as all entries in it; keeping all of up
// to 255 would take a hundred times the entries' own room. Partial tiles of hashes stay until the full one is there, as C2SP tlog-tiles
// asks.
constexpr std::size_t partial_bundles_max = 2;

} // namespace

Publication::Publication(TileStore& tiles, TiledTree tree)
    : tiles_(tiles)
    , tree_(std::move(tree))
{
    ASSERT(tree_.size() % tile_width == 0);
}

Result<> Publication::put_full(Edge& edge, TileName const& name, BytesView bytes)
{
    TRY(tiles_.put(name.path(), bytes));
    edge.full.push_back(name);
    return {};
}

Result<> Publication::add(Edge& edge, Group const& group, std::uint64_t end)
{
    std::vector<TileFile> filled;
    for (auto index = std::max(edge.tree.size(), group.first()); index < std::min(end, group.end()); ++index) {
        append_entry(edge.bundle, group.record(index));
        edge.tree.append(group.leaf(index), filled);
        if (edge.tree.size() % tile_width != 0)
            continue;
        TRY(put_full(edge, { .level = std::nullopt, .index = index / tile_width }, edge.bundle));
        edge.bundle.clear();
        for (auto const& tile : std::exchange(filled, {}))
            TRY(put_full(edge, tile.name, tile.bytes));
    }
    return {};
}

Result<> Publication::put_partial(Edge const& edge)
{
    if (!edge.bundle.empty())
        TRY(tiles_.put(
            TileName { .level = std::nullopt, .index = edge.tree.size() / tile_width, .width = edge.tree.size() % tile_width }.path(),
            edge.bundle));
    for (auto const& tile : edge.tree.partial_tiles())
        // Otherwise it is there: above the leaves most rounds change nothing.
        if (std::ranges::find(partial_tiles_, tile.name) == partial_tiles_.end())
            TRY(tiles_.put(tile.name.path(), tile.bytes));
    return {};
}

Result<> Publication::publish(std::vector<GroupPtr> const& groups, Sealed const& sealed)
{
    Edge edge { .tree = tree_, .bundle = bundle_, .full = {} };
    for (auto const& group : groups)
        TRY(add(edge, *group, sealed.checkpoint.size));
    if (edge.tree.size() != sealed.checkpoint.size || edge.tree.root() != sealed.checkpoint.root)
        return corruption("the records do not have the root of the checkpoint over them");
    TRY(put_partial(edge));
    TRY(tiles_.replace("checkpoint", as_bytes(sealed.note)));
    tree_ = std::move(edge.tree);
    bundle_ = std::move(edge.bundle);
    prune(edge.full);
    return {};
}

void Publication::prune(std::vector<TileName> const& full)
{
    for (auto const& name : full) {
        full_files_.push_back(name.path());
        tiles_.remove(partial_folder(name));
        std::erase_if(partial_bundles_, [&](TileName const& partial) { return partial.full() == name; });
    }
    partial_tiles_.clear();
    for (auto const& tile : tree_.partial_tiles())
        partial_tiles_.push_back(tile.name);
    if (!bundle_.empty()) {
        TileName const partial { .level = std::nullopt, .index = tree_.size() / tile_width, .width = tree_.size() % tile_width };
        if (partial_bundles_.empty() || partial_bundles_.back() != partial)
            partial_bundles_.push_back(partial);
    }
    while (partial_bundles_.size() > partial_bundles_max) {
        tiles_.remove(partial_bundles_.front().path());
        partial_bundles_.erase(partial_bundles_.begin());
    }
}

} // namespace writ::tlog
