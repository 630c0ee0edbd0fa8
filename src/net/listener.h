// SPDX-License-Identifier: Apache-2.0
//
// A listening socket with limits on its connections.
#pragma once

#include "net/stream.h"

#include <memory>
#include <sys/types.h>

namespace writ::net {

struct ListenerLimits {
    // LIMIT: open connections of this listener; beyond it, new ones wait in the kernel's queue.
    std::size_t connections_max = 4096;
    // LIMIT: open connections of one uid on a unix socket; beyond it, new ones are closed at once, so that no user can shut out the others.
    std::size_t connections_per_uid_max = 1024;
};

class Listener {
public:
    virtual ~Listener() = default;

    // The next connection. Not before an earlier one is closed if there are too many. unavailable: the listener was closed.
    virtual Task<Result<std::unique_ptr<Stream>>> accept() = 0;
    // Port 0 has become the actual one.
    [[nodiscard]] virtual Address address() const = 0;
    // Stops listening, and removes the unix socket if it is still this one.
    virtual void close() = 0;
};

// An IP address; port 0 lets the kernel choose.
Result<std::unique_ptr<Listener>> listen_tcp(EventLoop&, TcpAddress const&, ListenerLimits = {});

// `mode` is the socket's file mode: who may connect. A socket that a dead process left is replaced; conflict: one that lives, or a file
// that is no socket.
Result<std::unique_ptr<Listener>> listen_unix(EventLoop&, std::string const& path, mode_t mode, ListenerLimits = {});

} // namespace writ::net
