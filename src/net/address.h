// SPDX-License-Identifier: Apache-2.0
//
// Where to listen or connect: `127.0.0.1:8443`, `[::1]:8443`, `authority.internal:8443` or `unix:/run/writ/agent.sock`.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <variant>

namespace writ::net {

struct TcpAddress {
    std::string host; // a name, or an IP address without brackets
    std::uint16_t port = 0;
    bool operator==(TcpAddress const&) const = default;
};

struct UnixAddress {
    std::string path;
    bool operator==(UnixAddress const&) const = default;
};

using Address = std::variant<TcpAddress, UnixAddress>;

Result<Address> parse_address(std::string_view);
// `https://host[:port]` with nothing behind it; the port is 443 if absent.
Result<TcpAddress> parse_https_origin(std::string_view);
// parse_address() reads it back.
std::string to_string(Address const&);

// An address as the kernel takes it.
struct SocketAddress {
    sockaddr_storage storage {};
    socklen_t size = 0;
};
// Of an IP address or unix path. not_found: the host is a name, to be resolved first.
Result<SocketAddress> to_socket_address(Address const&);
Result<Address> local_address_of(int socket);
Result<Address> remote_address_of(int socket);

} // namespace writ::net
