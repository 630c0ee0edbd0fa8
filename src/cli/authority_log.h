// SPDX-License-Identifier: Apache-2.0
//
// The audit log in bulk: from an authority's folder, or from the running authority by its tiles.
#pragma once

#include "cli/session.h"
#include "replay/entry_source.h"

namespace writ::cli {

// `data`: the authority's data folder, or a copy; empty: the authority is asked.
Result<std::unique_ptr<replay::EntrySource>> open_entries(Session const&, std::string const& data);

} // namespace writ::cli
