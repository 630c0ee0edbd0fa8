// SPDX-License-Identifier: Apache-2.0
//
// Single records in a log's files.
#pragma once

#include "replay/entry_source.h"
#include "replay/explanation.h"

namespace writ::replay {

// not_found beyond the checkpoint.
Result<std::string> read_entry(EntrySource const&, std::uint64_t sequence);

// The last record before `before` that put the version in force, read backwards; nothing too if retention has dropped it.
Result<std::optional<VersionRecord>> find_version_record(EntrySource const&, std::uint64_t version, std::uint64_t before);

} // namespace writ::replay
