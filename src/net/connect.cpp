// SPDX-License-Identifier: Apache-2.0
#include "net/asio_types.h"
#include "net/notification.h"
#include "net/socket_stream.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>

namespace writ::net {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

// LIMIT: addresses of one name that are tried, one after the other.
constexpr std::size_t addresses_max = 8;
// How long to let a unix listener with a full queue catch up.
constexpr Duration full_queue_pause = std::chrono::milliseconds(5);

struct Resolution {
    Notification done;
    bool is_done = false;
    std::vector<SocketAddress> addresses;
    std::string problem;
};

// getaddrinfo() cannot be interrupted, so it goes on without whoever waits for it.
Task<> resolve(TcpAddress address, std::shared_ptr<Resolution> resolution)
{
    asio::ip::basic_resolver<tcp, Executor> resolver(co_await asio::this_coro::executor);
    auto const flags = asio::ip::resolver_base::numeric_service | asio::ip::resolver_base::address_configured;
    auto const [error, results] = co_await resolver.async_resolve(address.host, std::to_string(address.port), flags, as_values);
    if (error)
        resolution->problem = error.message();
    for (auto const& result : results) {
        if (resolution->addresses.size() == addresses_max)
            break;
        auto const endpoint = result.endpoint();
        SocketAddress socket_address;
        std::memcpy(&socket_address.storage, endpoint.data(), endpoint.size());
        socket_address.size = static_cast<socklen_t>(endpoint.size());
        resolution->addresses.push_back(socket_address);
    }
    resolution->is_done = true;
    resolution->done.notify();
}

Task<Result<std::vector<SocketAddress>>> addresses_of(Address address, Duration timeout)
{
    auto known = to_socket_address(address);
    if (known.is_ok())
        co_return std::vector<SocketAddress> { known.value() };
    if (known.error().code != ErrorCode::not_found)
        co_return std::move(known).error();

    auto const resolution = std::make_shared<Resolution>();
    auto const executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, resolve(std::get<TcpAddress>(address), resolution), asio::detached);
    co_await resolution->done.wait_past(0, timeout);
    if (!resolution->is_done)
        co_return unavailable("resolve `" + to_string(address) + "`: no answer in time");
    if (resolution->addresses.empty())
        co_return unavailable("resolve `" + to_string(address) + "`: " + resolution->problem);
    co_return std::move(resolution->addresses);
}

int start_connect(int socket, SocketAddress const& address)
{
    int result = 0;
    do
        result = ::connect(socket, reinterpret_cast<sockaddr const*>(&address.storage), address.size);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : errno;
}

int pending_error_of(int socket)
{
    int error = 0;
    socklen_t size = sizeof error;
    return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// The socket once it is connected. EAGAIN is a unix listener whose queue is full: nothing has begun.
Task<Result<UniqueFd>> connect_socket(SocketAddress address, Monotonic due)
{
    UniqueFd socket(::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.is_open())
        co_return errno_error("create a socket", errno);
    auto error = start_connect(socket.get(), address);
    while (error == EAGAIN && SystemClock().monotonic() < due) {
        co_await delay(full_queue_pause);
        error = start_connect(socket.get(), address);
    }
    if (error == EINPROGRESS) {
        auto ready = co_await wait_writable(socket.get(), due - SystemClock().monotonic());
        if (ready.is_error())
            co_return std::move(ready).error();
        error = pending_error_of(socket.get());
    }
    if (error != 0)
        co_return unavailable(std::strerror(error));
    co_return socket;
}

} // namespace

Task<Result<std::unique_ptr<Stream>>> connect(Address address, Duration timeout)
{
    auto const executor = co_await asio::this_coro::executor;
    auto const due = SystemClock().monotonic() + clamped(timeout);
    auto resolved = co_await addresses_of(address, timeout);
    auto const addresses = CO_TRY(resolved);

    std::string problem;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        // Each address gets its share of what is left, so that one that swallows packets does not use it up.
        auto const now = SystemClock().monotonic();
        auto const share = (due - now) / static_cast<std::int64_t>(addresses.size() - i);
        auto socket = co_await connect_socket(addresses[i], now + share);
        if (socket.is_ok())
            co_return stream_of(executor.context(), std::move(socket).value());
        problem = socket.error().message;
    }
    co_return unavailable("connect to `" + to_string(address) + "`: " + problem);
}

} // namespace writ::net
