// SPDX-License-Identifier: Apache-2.0
//
// Who is at the other end of a connection, as far as the kernel or a verified certificate proves it.
#pragma once

#include "base/bytes.h"
#include "base/unique_fd.h"

#include <memory>
#include <string>
#include <sys/types.h>
#include <variant>
#include <vector>

namespace writ::net {

// A process on this machine, as the kernel remembers it from connect(). A socket that was passed on still shows the connector.
struct UnixPeer {
    pid_t pid = -1;
    uid_t uid = static_cast<uid_t>(-1);
    gid_t gid = static_cast<gid_t>(-1);
    // Refers to the process itself, whoever gets its number later. Read /proc/PID first, then ask is_alive(), then trust what was read.
    std::shared_ptr<UniqueFd const> pidfd;

    [[nodiscard]] bool is_alive() const;
};

// Mutual TLS. SECURITY: `certificates` is not empty only if the path was verified to the server's client roots.
struct TlsPeer {
    std::string address;
    std::shared_ptr<std::vector<Bytes> const> certificates; // DER, leaf first; null: the client showed none
    std::string spiffe_id;                                  // of the verified leaf; empty: it has none

    [[nodiscard]] bool is_verified() const { return certificates && !certificates->empty(); }
};

// Plain TCP: proves nothing.
struct AddressPeer {
    std::string address;
};

using Peer = std::variant<AddressPeer, UnixPeer, TlsPeer>;

// For the operator's log: `pid 4711 uid 1000`, `127.0.0.1:5000`, `spiffe://…`.
std::string describe(Peer const&);

// The peer of a connected unix socket: SO_PEERCRED, and SO_PEERPIDFD where the kernel has it (6.5), otherwise pidfd_open.
Result<UnixPeer> unix_peer_of(int socket);

} // namespace writ::net
