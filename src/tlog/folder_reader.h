// SPDX-License-Identifier: Apache-2.0
//
// The entries of a log's folder, whether an authority is writing to it or not: the published ones from its tlog-tiles files, and from its journal those that
// are durable and were not published yet. Each is checked against its leaf hash or its checksum, the checkpoint against the verifier key; not every hash
// against the root, as verify_folder() does. Thread-compatible.
#pragma once

#include "tlog/entry_reader.h"
#include "tlog/log.h"
#include "tlog/tile.h"

#include <memory>

namespace writ::tlog {

struct JournalContents;

class FolderReader {
public:
    // The key is read from the folder (`verifier`) if none is given. not_found: no log there. corruption: the journal is not what was written, or does
    // not go on where the tiles end; a copy without its journal has the published entries.
    static Result<FolderReader> open(Path folder, std::optional<NoteVerifier> = std::nullopt);

    [[nodiscard]] Checkpoint const& checkpoint() const { return checkpoint_; }
    [[nodiscard]] std::string const& note() const { return note_; }
    // Of the log: the entries that the checkpoint covers, and those behind it.
    [[nodiscard]] std::uint64_t size() const;

    // Entries before it were dropped.
    [[nodiscard]] std::uint64_t first_kept() const { return first_kept_; }

    // [first, first + count), fewer at the end of the tree, of a bundle or of a group; none beyond. corruption names the entry; not_found: it was dropped.
    [[nodiscard]] Result<std::vector<Bytes>> read_range(std::uint64_t first, std::size_t count) const;

private:
    struct Parts {
        Checkpoint checkpoint;
        std::string note;
        std::shared_ptr<JournalContents const> journal;
        std::uint64_t first_kept;
    };
    FolderReader(Path folder, Parts parts)
        : folder_(std::move(folder))
        , entries_(std::make_unique<EntryReader>(folder_))
        , checkpoint_(std::move(parts.checkpoint))
        , note_(std::move(parts.note))
        , journal_(std::move(parts.journal))
        , first_kept_(parts.first_kept)
    {
    }
    struct Content {
        TileName name;
        Bytes bytes;
    };
    [[nodiscard]] Result<Content> read(TileName) const;
    [[nodiscard]] std::vector<Bytes> read_unpublished(std::uint64_t first, std::size_t count) const;

    Path folder_;
    std::unique_ptr<EntryReader> entries_;
    Checkpoint checkpoint_;
    std::string note_;
    std::shared_ptr<JournalContents const> journal_; // from the segment on that has what comes behind the checkpoint
    std::uint64_t first_kept_;
};

} // namespace writ::tlog
