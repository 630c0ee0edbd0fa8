// SPDX-License-Identifier: Apache-2.0
//
// The published entries of a log's folder, from its tlog-tiles files alone, whether an authority is writing to it or not. Each entry is
// checked against its leaf hash, the checkpoint against the verifier key; not every hash against the root, as verify_folder() does.
// Thread-compatible.
#pragma once

#include "tlog/entry_reader.h"
#include "tlog/log.h"
#include "tlog/tile.h"

#include <memory>

namespace writ::tlog {

class FolderReader {
public:
    // The key is read from the folder (`verifier`) if none is given. not_found: no log there.
    static Result<FolderReader> open(Path folder, std::optional<NoteVerifier> = std::nullopt);

    [[nodiscard]] Checkpoint const& checkpoint() const { return checkpoint_; }
    [[nodiscard]] std::string const& note() const { return note_; }

    // Entries before it were dropped.
    [[nodiscard]] std::uint64_t first_kept() const { return first_kept_; }

    // [first, first + count), fewer at the end of the tree or of a bundle; none beyond. corruption names the entry; not_found: it was dropped.
    [[nodiscard]] Result<std::vector<Bytes>> read_range(std::uint64_t first, std::size_t count) const;

private:
    FolderReader(Path folder, Checkpoint checkpoint, std::string note, std::uint64_t first_kept)
        : folder_(std::move(folder))
        , entries_(std::make_unique<EntryReader>(folder_))
        , checkpoint_(std::move(checkpoint))
        , note_(std::move(note))
        , first_kept_(first_kept)
    {
    }
    struct Content {
        TileName name;
        Bytes bytes;
    };
    [[nodiscard]] Result<Content> read(TileName) const;

    Path folder_;
    std::unique_ptr<EntryReader> entries_;
    Checkpoint checkpoint_;
    std::string note_;
    std::uint64_t first_kept_;
};

} // namespace writ::tlog
