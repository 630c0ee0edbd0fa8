// SPDX-License-Identifier: Apache-2.0
//
// The files below /proc/PID that attestation reads, parsed (proc(5)). Pure parsers, for the kernel's text only: but a process chooses its own name, which
// stands in it.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace writ::attest {

struct ProcStatus {
    pid_t parent = -1;
    pid_t tracer = 0; // 0: none
    char state = '?'; // proc(5): R S D T t Z …
    std::vector<uid_t> uids; // real, effective, saved, file system
    std::vector<gid_t> gids;
    std::vector<gid_t> groups;
};
Result<ProcStatus> parse_proc_status(std::string_view text);

// Field 22 of /proc/PID/stat, counted from behind the last `)`: a name may have spaces and parentheses.
Result<std::uint64_t> parse_start_ticks(std::string_view stat);

// The paths of all hierarchies, each once.
std::vector<std::string> parse_cgroups(std::string_view text);

} // namespace writ::attest
