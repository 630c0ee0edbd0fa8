// SPDX-License-Identifier: Apache-2.0
//
// A log's folder as it lies: held by one process, read back, checked against its own checkpoint. Private to tlog.
#pragma once

#include "base/unique_fd.h"
#include "tlog/journal.h"
#include "tlog/log.h"
#include "tlog/publisher.h"

namespace writ::tlog {

// The seams for faults: what the journal's segments are written with, and what stands between the log and its stores.
struct LogSeams {
    OpenAppender open_appender = {}; // none: a SegmentOpener's
    std::size_t segment_bytes = segment_bytes_max; // smaller ones let a test see many
    std::function<LogStorage(LogStorage)> storage = [](LogStorage plain) { return plain; };
};
Result<std::unique_ptr<Log>> open_log(LogOptions, LogSeams const&);

struct OpenedFolder {
    UniqueFd lock; // held as long as it lives
    LogStorage storage;
    JournalContents journal;
    std::uint64_t dropped = 0; // entries before it were dropped
    std::uint64_t settled = 0; // entries before it are in full tiles for good; a multiple of 256, and none of them in `unsettled`
    TiledTree tree;            // of that size
    std::string stored;        // what the strict store holds; empty: nothing yet
    SealedPtr sealed;          // the newest checkpoint there is, and its tree; null: nothing yet
    std::string published;     // the public checkpoint; empty: none yet
};
// Creates what is missing; removes what a crash left half-written. conflict: another process holds it, or it is another signer's log.
// corruption: something is missing or altered that a crash does not explain.
Result<OpenedFolder> open_folder(Path const& folder, NoteSigner const&, LogSeams const&);

// Writes down whose log it is, once there is a checkpoint: from then on a folder without one is corrupt.
Result<> write_verifier(Path const& folder, TileStore&, NoteSigner const&);
// As write_verifier() writes it and not a byte else.
Result<NoteVerifier> read_verifier(Path const& folder);

} // namespace writ::tlog
