// SPDX-License-Identifier: Apache-2.0
//
// The audit log from its files alone: the tree and every byte (tlog::verify_folder), and that whatever was dropped, a record says so.
// Thread-safe.
#pragma once

#include "tlog/log.h"

namespace writ::audit {

// corruption, too: entries are gone that no retention record names.
Result<tlog::FolderReport> verify_audit_log(
    Path const& folder, std::optional<tlog::NoteVerifier>, std::function<void(std::uint64_t, std::uint64_t)> const& progress);

} // namespace writ::audit
