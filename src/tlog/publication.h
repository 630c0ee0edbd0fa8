// SPDX-License-Identifier: Apache-2.0
//
// Writes what the journal holds as tiles, bundles and a signed checkpoint, each file at once by rename and the checkpoint last. Tiles are
// not synced before their names appear: until settle() has synced them the journal keeps their entries, and an open writes them again.
// Private to tlog. Not thread-safe.
#pragma once

#include "tlog/journal.h"
#include "tlog/note.h"
#include "tlog/tile.h"

#include <deque>

namespace writ::tlog {

struct Published {
    Checkpoint checkpoint;
    std::string note;
    TiledTree tree;
};

class Publication {
public:
    // `tree` has a multiple of 256 entries, all settled.
    Publication(Path log_folder, NoteSigner signer, TiledTree tree);

    // Entries that follow those published. On error nothing has changed but files that nothing refers to yet; the same may be tried again.
    Result<std::shared_ptr<Published const>> publish(std::span<EntryPtr const>);
    [[nodiscard]] std::uint64_t size() const { return tree_.size(); }

    // Syncs some of the full files. Returns how many entries are in tiles for good. After an error it is never tried again: what a failed
    // sync has lost only the journal has.
    Result<std::uint64_t> settle();
    // Whether settle() has nothing to do.
    [[nodiscard]] bool is_settled() const { return unsettled_.empty() || !is_settling_; }

private:
    struct Growth {
        TiledTree tree;
        Bytes bundle; // the partial one
        std::vector<TileFile> files;
    };
    [[nodiscard]] Growth grow(std::span<EntryPtr const>) const;
    Result<> place(TileFile const&);
    void prune(std::vector<TileFile> const& files);
    [[nodiscard]] std::uint64_t settled_bundles() const;

    Path folder_;
    NoteSigner signer_;
    TiledTree tree_;
    Bytes bundle_;
    std::deque<TileName> unsettled_;       // full files, in the order of their making
    std::vector<TileName> partial_tiles_;  // of hashes, as published last
    std::deque<TileName> partial_bundles_; // that have not been removed, oldest first
    bool is_settling_ = true;
};

} // namespace writ::tlog
