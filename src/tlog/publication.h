// SPDX-License-Identifier: Apache-2.0
//
// Writes sealed records as tiles and bundles, and the checkpoint last. Tiles are not settled when they appear: until they are the journal
// keeps their records, and an open writes them again. Private to tlog. Not thread-safe.
#pragma once

#include "tlog/log_storage.h"
#include "tlog/sealer.h"

namespace writ::tlog {

class Publication {
public:
    // `tree` has a multiple of 256 entries, all settled. The store outlives it.
    Publication(TileStore&, TiledTree tree);

    // `groups` hold the records from size() up to the checkpoint's. On error nothing has changed but files that no checkpoint refers to yet;
    // the same may be tried again. corruption: the records do not have the checkpoint's root.
    Result<> publish(std::vector<GroupPtr> const& groups, Sealed const&);
    [[nodiscard]] std::uint64_t size() const { return tree_.size(); }

    // Paths of the full files that publish() has put in place since the last call, in the order of their making.
    std::vector<std::string> take_full_files() { return std::exchange(full_files_, {}); }

private:
    struct Edge {
        TiledTree tree;
        Bytes bundle; // the partial one
        std::vector<TileName> full; // written since
    };
    Result<> add(Edge&, Group const&, std::uint64_t end);
    Result<> put_full(Edge&, TileName const&, BytesView);
    Result<> put_partial(Edge const&);
    void prune(std::vector<TileName> const& full);

    TileStore& tiles_;
    TiledTree tree_;
    Bytes bundle_;
    std::vector<std::string> full_files_;
    std::vector<TileName> partial_tiles_;   // of hashes, as published last
    std::vector<TileName> partial_bundles_; // that have not been removed, oldest first
};

} // namespace writ::tlog
