// SPDX-License-Identifier: Apache-2.0
//
// A folder that belongs to one process at a time, and is tidied when that process opens it.
#pragma once

#include "base/durable_file.h"
#include "base/unique_fd.h"

namespace writ {

// Held (flock on a file `lock` in it, which is created if need be) as long as what is returned lives, and not beyond the process.
// conflict: another process holds it.
Result<UniqueFd> lock_folder(Path const&);

// Removes what replace_file() and create_file() left in the folder when they were interrupted. REQUIRES: nobody else writes to it.
Result<> remove_unfinished(Path const& folder);

} // namespace writ
