// SPDX-License-Identifier: Apache-2.0
//
// The listener of the endpoint on 127.0.0.1, where the kernel tells only on asking whose a connection is: so that no user can hold all of them.
#pragma once

#include "net/listener.h"

#include <functional>
#include <optional>

namespace writ::agent {

// LIMIT: open connections of one user.
inline constexpr std::size_t user_connections_max = 1024;

// Who has the other end of a connection from that port. Nothing: nobody of this machine, any more.
using UserOfPort = std::function<std::optional<uid_t>(std::uint16_t client_port)>;

// Connections of whoever has `connections_max` already are closed at once, as are those that are nobody's.
std::unique_ptr<net::Listener> bound_for_each_user(std::unique_ptr<net::Listener>, UserOfPort, std::size_t connections_max = user_connections_max);

} // namespace writ::agent
