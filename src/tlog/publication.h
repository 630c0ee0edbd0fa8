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

    // The full files that publish() has put in place since the last call, in the order of their making.
    std::vector<TileName> take_full_files() { return std::exchange(full_files_, {}); }

private:
    struct Growth {
        TiledTree tree;
        Bytes bundle; // the partial one
        std::vector<TileFile> files;
    };
    [[nodiscard]] Growth grow(std::span<EntryPtr const>) const;
    Result<> place(Path const& name, BytesView);
    void prune(std::vector<TileFile> const& files);

    Path folder_;
    NoteSigner signer_;
    TiledTree tree_;
    Bytes bundle_;
    std::vector<TileName> full_files_;
    std::vector<TileName> partial_tiles_;  // of hashes, as published last
    std::deque<TileName> partial_bundles_; // that have not been removed, oldest first
};

} // namespace writ::tlog
