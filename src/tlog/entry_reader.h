// SPDX-License-Identifier: Apache-2.0
//
// One entry out of a full bundle in a folder, without reading all of it: who asks questions reads hundreds of entries that lie far apart.
#pragma once

#include "tlog/tile.h"

#include <optional>

namespace writ::tlog {

// Checked against its leaf hash: corruption, naming the entry, if it is not what was written. Nothing if its bundle or tile is not there, or not full.
Result<std::optional<Bytes>> read_entry(Path const& log_folder, std::uint64_t index);

} // namespace writ::tlog
