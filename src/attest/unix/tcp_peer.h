// SPDX-License-Identifier: Apache-2.0
//
// Which process is at the other end of a TCP connection within this machine. Loopback TCP has no peer credentials: the kernel's table of sockets names
// the client's user and inode, and /proc/PID/fd who holds that inode. Linux only; one network namespace.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace writ::attest {

struct SocketOwner {
    uid_t uid = static_cast<uid_t>(-1);
    std::uint64_t inode = 0;
    bool operator==(SocketOwner const&) const = default;
};

// The established socket from 127.0.0.1:client to 127.0.0.1:server in the text of /proc/net/tcp or tcp6 (proc(5)). Pure.
std::optional<SocketOwner> find_in_tcp_table(std::string_view table, std::uint16_t client, std::uint16_t server);

// not_found: there is none (any more).
Result<SocketOwner> socket_owner(std::uint16_t client, std::uint16_t server);

// Finds processes; remembers where it found sockets last, since a job that asks once asks again. Not thread-safe.
class SocketHolders {
public:
    // A process that holds the socket, and its ancestors, nearest first. not_found: none that may be seen. SECURITY: pids are numbers; whoever looks for one
    // among them asks a pidfd of that process, taken before, whether it still lives.
    Result<std::vector<pid_t>> holder_with_ancestors(SocketOwner const&);
    // Whether the process that now has that number holds it.
    [[nodiscard]] static bool is_held_by(SocketOwner const&, pid_t);

private:
    std::vector<pid_t> recent_; // latest first
};

// The process and its ancestors, nearest first; as far as they can be read.
std::vector<pid_t> with_ancestors(pid_t);

} // namespace writ::attest
