// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <netinet/in.h>
#include <optional>
#include <sys/un.h>

namespace writ::net {

namespace {

// LIMIT: RFC 1035 §2.3.4.
constexpr std::size_t host_name_length_max = 253;

bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

bool is_ipv6(std::string const& host)
{
    in6_addr ignored {};
    return ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool is_host_name(std::string_view host)
{
    return !host.empty() && host.size() <= host_name_length_max && host.front() != '.' && host.front() != '-'
        && host.find("..") == std::string_view::npos && std::ranges::all_of(host, is_name_character);
}

Result<std::uint16_t> parse_port(std::string_view text)
{
    std::uint16_t port = 0;
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return invalid_argument("`" + std::string(text) + "` is not a port");
    return port;
}

Result<std::string> parse_bracketed_host(std::string_view text)
{
    std::string host(text);
    if (host.find('\0') != std::string::npos || !is_ipv6(host))
        return invalid_argument("`" + host + "` is not an IPv6 address");
    return host;
}

// `host:port`, or `host` alone where there is a default.
Result<TcpAddress> parse_host_and_port(std::string_view text, std::optional<std::uint16_t> default_port)
{
    auto const is_bracketed = text.starts_with('[');
    auto const host_end = is_bracketed ? text.find(']') : std::min(text.find(':'), text.size());
    if (host_end == std::string_view::npos)
        return invalid_argument("`" + std::string(text) + "` has no closing bracket");
    auto const host_text = text.substr(is_bracketed ? 1 : 0, host_end - (is_bracketed ? 1 : 0));
    auto const rest = text.substr(host_end + (is_bracketed ? 1 : 0));

    TcpAddress address;
    if (is_bracketed)
        address.host = TRY(parse_bracketed_host(host_text));
    else if (is_host_name(host_text))
        address.host = std::string(host_text);
    else
        return invalid_argument("`" + std::string(text) + "` does not begin with a host");

    if (rest.empty() && default_port)
        address.port = *default_port;
    else if (rest.starts_with(':'))
        address.port = TRY(parse_port(rest.substr(1)));
    else
        return invalid_argument("`" + std::string(text) + "` has no port");
    return address;
}

Result<Address> parse_unix_path(std::string_view text)
{
    // `unix:///run/x.sock`, as a URI has it, is the same as `unix:/run/x.sock`.
    if (text.starts_with("///"))
        text.remove_prefix(2);
    else if (text.starts_with("//"))
        return invalid_argument("a unix address has no host; write `unix:/path`");
    if (text.empty() || text.size() >= sizeof(sockaddr_un::sun_path) || text.find('\0') != std::string_view::npos)
        return invalid_argument("a unix path has 1 to 107 characters");
    return Address(UnixAddress { std::string(text) });
}

SocketAddress of_sockaddr(void const* address, std::size_t size)
{
    SocketAddress result;
    std::memcpy(&result.storage, address, size);
    result.size = static_cast<socklen_t>(size);
    return result;
}

Result<SocketAddress> to_socket_address(TcpAddress const& address)
{
    sockaddr_in v4 {};
    if (::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1) {
        v4.sin_family = AF_INET;
        v4.sin_port = htons(address.port);
        return of_sockaddr(&v4, sizeof v4);
    }
    sockaddr_in6 v6 {};
    if (::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) == 1) {
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(address.port);
        return of_sockaddr(&v6, sizeof v6);
    }
    return not_found("`" + address.host + "` is not an IP address");
}

Result<SocketAddress> to_socket_address(UnixAddress const& address)
{
    sockaddr_un unix_address {};
    if (address.path.empty() || address.path.size() >= sizeof unix_address.sun_path)
        return invalid_argument("a unix path has 1 to 107 characters");
    unix_address.sun_family = AF_UNIX;
    std::memcpy(unix_address.sun_path, address.path.data(), address.path.size());
    return of_sockaddr(&unix_address, offsetof(sockaddr_un, sun_path) + address.path.size() + 1);
}

std::string ip_text(int family, void const* address)
{
    char text[INET6_ADDRSTRLEN] = {};
    return ::inet_ntop(family, address, text, sizeof text) ? text : "?";
}

Result<Address> of_kernel(SocketAddress const& address)
{
    switch (address.storage.ss_family) {
    case AF_INET: {
        auto const& v4 = reinterpret_cast<sockaddr_in const&>(address.storage);
        return Address(TcpAddress { ip_text(AF_INET, &v4.sin_addr), ntohs(v4.sin_port) });
    }
    case AF_INET6: {
        auto const& v6 = reinterpret_cast<sockaddr_in6 const&>(address.storage);
        return Address(TcpAddress { ip_text(AF_INET6, &v6.sin6_addr), ntohs(v6.sin6_port) });
    }
    case AF_UNIX: {
        auto const& unix_address = reinterpret_cast<sockaddr_un const&>(address.storage);
        auto const room = address.size > offsetof(sockaddr_un, sun_path) ? address.size - offsetof(sockaddr_un, sun_path) : 0;
        return Address(UnixAddress { std::string(unix_address.sun_path, ::strnlen(unix_address.sun_path, room)) });
    }
    default: return invalid_argument("a socket that is neither TCP nor unix");
    }
}

} // namespace

Result<Address> parse_address(std::string_view text)
{
    if (text.starts_with("unix:"))
        return parse_unix_path(text.substr(5));
    return Address(TRY(parse_host_and_port(text, std::nullopt)));
}

Result<TcpAddress> parse_https_origin(std::string_view text)
{
    constexpr std::string_view scheme = "https://";
    if (!text.starts_with(scheme))
        return invalid_argument("`" + std::string(text) + "` does not begin with `https://`");
    return parse_host_and_port(text.substr(scheme.size()), std::uint16_t(443));
}

std::string to_string(Address const& address)
{
    if (auto const* const unix_address = std::get_if<UnixAddress>(&address))
        return (unix_address->path.starts_with("//") ? "unix://" : "unix:") + unix_address->path;
    auto const& tcp = std::get<TcpAddress>(address);
    auto const host = tcp.host.find(':') == std::string::npos ? tcp.host : "[" + tcp.host + "]";
    return host + ":" + std::to_string(tcp.port);
}

Result<SocketAddress> to_socket_address(Address const& address)
{
    return std::visit([](auto const& specific) { return to_socket_address(specific); }, address);
}

Result<Address> local_address_of(int socket)
{
    SocketAddress address;
    address.size = sizeof address.storage;
    if (::getsockname(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0)
        return errno_error("read a socket's address", errno);
    return of_kernel(address);
}

Result<Address> remote_address_of(int socket)
{
    SocketAddress address;
    address.size = sizeof address.storage;
    if (::getpeername(socket, reinterpret_cast<sockaddr*>(&address.storage), &address.size) != 0)
        return errno_error("read a peer's address", errno);
    return of_kernel(address);
}

} // namespace writ::net
