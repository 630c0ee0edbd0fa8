// SPDX-License-Identifier: Apache-2.0
//
// The unix trust provider: what this node's kernel says of a process. Nothing that a process can set itself (environment, argv, its name) is looked
// at. Reads /proc/PID, then asks the pidfd whether the process still lives: otherwise what was read may be of another with its number.
#pragma once

#include "attest/unix/container.h"
#include "base/clock.h"
#include "base/unique_fd.h"
#include "identity/claim.h"
#include "net/task.h"

#include <cstdint>
#include <memory>
#include <string>
#include <sys/types.h>

namespace writ::attest {

// Names one process for as long as the machine is up: a pid that is used again has another start time.
struct ProcessIdentity {
    pid_t pid = -1;
    std::uint64_t start_ticks = 0; // since boot, proc(5) field 22
    std::string boot_id;
    bool operator==(ProcessIdentity const&) const = default;
};

struct AttestedProcess {
    identity::Claims claims; // unix.uid unix.user unix.gid unix.group unix.path unix.sha256 unix.cgroup unix.start_time
                             // and of a container unix.container unix.image
    ProcessIdentity process;
    pid_t parent = -1;
    pid_t tracer = 0; // 0: none
    bool is_stopped = false; // by its tracer
    uid_t uid = static_cast<uid_t>(-1); // real and effective: one and the same
    gid_t gid = static_cast<gid_t>(-1);
};

// A pidfd of a live process; not_found: there is none of that number.
Result<UniqueFd> open_process(pid_t pid);
// The same, if the process of that number is still the one named.
Result<UniqueFd> open_process(ProcessIdentity const&);
bool is_alive(int pidfd);

// Not thread-safe: caches digests of executables and names of users.
class ProcessAttestor {
public:
    // With the place of the container engine's storage images are told; without, containers are processes like others.
    explicit ProcessAttestor(Clock const&, Path container_storage = {});
    ~ProcessAttestor();
    ProcessAttestor(ProcessAttestor const&) = delete;
    ProcessAttestor& operator=(ProcessAttestor const&) = delete;

    // `pidfd` refers to `pid`. unauthenticated: it ended meanwhile, its user ids differ from one another, or it changed while it was read.
    // Claims that this agent may not read (executable of another user's process, without root) are absent.
    Result<AttestedProcess> attest(pid_t pid, int pidfd);

    // The same, on a loop that must not stand still: an executable whose digest is not known is read on another thread first. A user who has several being read
    // already gets no digest. REQUIRES: the attestor and what `pidfd` refers to outlive the task.
    net::Task<Result<AttestedProcess>> attest_beside(pid_t pid, int pidfd);

private:
    struct State;
    Result<AttestedProcess> attest_known(pid_t pid, int pidfd, bool may_read);
    std::unique_ptr<State> state_;
};

} // namespace writ::attest
