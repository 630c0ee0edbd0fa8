// SPDX-License-Identifier: Apache-2.0
//
// Entries that were dropped: an object `dropped` says before which one, and is durable before a bundle goes. Tiles of hashes stay, so the
// tree proves what it proved. Whether somebody had the right to drop them is told by a record in the log, not here. Reading `dropped` is for whoever reads a log's files;
// the rest is private to tlog.
#pragma once

#include "tlog/log_storage.h"
#include "tlog/tile.h"

namespace writ::tlog {

// The number in `dropped`; 0: there is none. corruption: it is not what write_dropped() writes.
Result<std::uint64_t> read_dropped(TileStore const&);
Result<std::uint64_t> parse_dropped(std::string_view);
// REQUIRES: a multiple of 256.
Result<> write_dropped(TileStore&, std::uint64_t first_kept);

// Bundles of the entries [from, to), as far as they are there. What a crash leaves is removed when it is called again.
void remove_bundles(TileStore&, std::uint64_t from, std::uint64_t to);

// What reading a dropped entry says.
Error dropped_error(std::uint64_t index);

} // namespace writ::tlog
