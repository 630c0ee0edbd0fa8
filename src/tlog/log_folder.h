// SPDX-License-Identifier: Apache-2.0
//
// A log's folder as it lies: held by one process, read back, checked against its own checkpoint. Private to tlog.
#pragma once

#include "base/unique_fd.h"
#include "tlog/journal.h"
#include "tlog/log.h"
#include "tlog/publication.h"

namespace writ::tlog {

// LogOptions and the seam for faults.
Result<std::unique_ptr<Log>> open_log(LogOptions, OpenAppender);

struct OpenedFolder {
    UniqueFd lock; // held as long as it lives
    JournalContents journal;
    std::uint64_t settled = 0; // entries before it are in full tiles for good; a multiple of 256, and none of them in `unsettled`
    TiledTree tree;            // of that size
    std::shared_ptr<Published const> published; // what the folder's checkpoint covers; null: nothing yet
};
// Creates what is missing; removes what a crash left half-written. conflict: another process holds it, or it is another signer's log.
Result<OpenedFolder> open_folder(Path const& folder, NoteSigner const&);

// Writes down whose log it is, once there is a checkpoint: from then on a folder without one is corrupt.
Result<> write_verifier(Path const& folder, NoteSigner const&);
// As write_verifier() writes it and not a byte else.
Result<NoteVerifier> read_verifier(Path const& folder);

} // namespace writ::tlog
