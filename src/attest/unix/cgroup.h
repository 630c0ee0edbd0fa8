// SPDX-License-Identifier: Apache-2.0
//
// A control group of its own for a run's processes (cgroups(7), version 2): a child is born in its parent's group and only root can take it out, so a process stays its run's
// when its parent ends and it becomes a child of init. The group lies inside the one that the process was in, whose limits go on holding.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace writ::attest {

// Names one group for as long as it exists: one that is made again at its path has another number.
struct ProcessCgroup {
    std::string path;        // below where the hierarchy is mounted, as /proc/PID/cgroup has it
    std::uint64_t inode = 0; // 0: no group
    [[nodiscard]] bool exists() const { return inode != 0; }
    bool operator==(ProcessCgroup const&) const = default;
};

// Makes group `writ-RUN` inside the process's own and moves the process there. REQUIRES: it cannot end meanwhile (a pidfd, or a tracer that holds it).
// unavailable: this machine has no version 2, or the group takes none. permission_denied: the agent may not. conflict: there is one of that name.
Result<ProcessCgroup> enter_run_cgroup(pid_t, std::string_view run);

// Of the process that has that number now; empty: none that can be seen.
std::string cgroup_path_of(pid_t);

// Whether it is the path of the group, or of one below it.
bool is_within(std::string_view path, ProcessCgroup const&);

// Whether it and all groups around it belong to root, or to the user whom this agent is of: nobody else can have made it, or moved a process there.
bool is_made_by_system(std::string_view path);

// Whether it is the path of a group that another run was given inside this one, or of one below that.
bool is_in_run_below(std::string_view path, ProcessCgroup const&);

// False: processes are in it still.
bool remove_cgroup(ProcessCgroup const&);

// Removes groups that were made for runs and have no process any more, but for those at these paths: an agent that was killed left them. How many.
std::size_t remove_empty_run_cgroups(std::set<std::string> const& known_paths);
// The same below a folder where a hierarchy is mounted.
std::size_t remove_empty_run_cgroups(std::filesystem::path const& hierarchy, std::set<std::string> const& known_paths);

} // namespace writ::attest
