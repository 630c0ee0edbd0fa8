// SPDX-License-Identifier: Apache-2.0
//
// The program that is killed: it appends records to a log with small segments, so that it signs, publishes, settles and rotates all the
// time, and says what it was told.
#pragma once

#include "tlog/log_folder.h"

#include <map>

namespace writ::tlog {

NoteSigner writers_signer(); // the same in each process
Result<std::unique_ptr<Log>> open_writers_log(Path const& folder, NoteSigner const&);

// On standard output: `acknowledged INDEX RECORD`, `signed CHECKPOINT` in hexadecimal; each line at once.
int write_until_killed(Path const& folder);

} // namespace writ::tlog
