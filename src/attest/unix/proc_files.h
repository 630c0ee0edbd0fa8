// SPDX-License-Identifier: Apache-2.0
//
// The files below /proc/PID that attestation reads, parsed (proc(5)). Pure parsers, for the kernel's text only: but a process chooses its own name, which
// stands in it.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
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

// A group that a run was given (cgroup.h) is `writ-` and the run's id, which begins with `run-`. A service of the machine may be called `writ-` and anything else.
inline constexpr std::string_view run_cgroup_prefix = "writ-run-";
// The paths of all hierarchies, each once. Of a group that a run was given, the one around it: a run changes nothing of what its process is.
std::vector<std::string> parse_cgroups(std::string_view text);
// The path in version 2's hierarchy as it is. Nothing: it is in none, or in one that cannot be seen from here.
std::optional<std::string> parse_cgroup2_path(std::string_view text);
// Where /proc/self/mountinfo has the whole of version 2's hierarchy; empty: nowhere.
std::string parse_cgroup2_mount(std::string_view text);

} // namespace writ::attest
