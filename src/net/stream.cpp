// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include "net/deadline.h"
#include "net/socket_stream.h"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

namespace writ::net {

namespace asio = boost::asio;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol; // TCP and unix sockets alike
using Socket = asio::basic_stream_socket<Protocol, Executor>;

namespace {

class SocketStream final : public Stream {
public:
    SocketStream(Socket socket, Peer peer, std::shared_ptr<void> ticket)
        : socket_(std::move(socket))
        , peer_(std::move(peer))
        , ticket_(std::move(ticket))
        , deadline_(socket_.get_executor(), [this] { cancel(); })
    {
    }
    ~SocketStream() override { close_socket(); }

    Task<Result<std::size_t>> read_some(std::span<std::uint8_t> into) override
    {
        if (has_expired())
            co_return too_late();
        auto const [error, size] = co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), as_values);
        if (error == asio::error::eof)
            co_return std::size_t(0);
        if (error)
            co_return failure("read", error);
        co_return size;
    }

    Task<Result<>> write(BytesView bytes) override
    {
        while (!bytes.empty()) {
            if (has_expired())
                co_return too_late();
            auto const [error, size] = co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), as_values);
            if (error)
                co_return failure("write", error);
            bytes = bytes.subspan(size);
        }
        co_return Result<>();
    }

    Task<> finish() override
    {
        error_code ignored; // the peer may have gone already
        socket_.shutdown(Socket::shutdown_send, ignored);
        co_return;
    }

    void close() override { close_socket(); }
    void set_deadline(Duration duration) override { deadline_.set(duration); }
    void clear_deadline() override { deadline_.clear(); }
    [[nodiscard]] bool has_expired() const override { return deadline_.has_expired(); }

    [[nodiscard]] bool is_stale() const override
    {
        if (!socket_.is_open())
            return true;
        std::uint8_t byte = 0;
        auto const size = ::recv(const_cast<Socket&>(socket_).native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return !(size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
    }

    [[nodiscard]] bool has_left() const override
    {
        pollfd watched { .fd = const_cast<Socket&>(socket_).native_handle(), .events = POLLRDHUP, .revents = 0 };
        return !socket_.is_open() || ::poll(&watched, 1, 0) > 0;
    }

    [[nodiscard]] Peer const& peer() const override { return peer_; }

private:
    void close_socket()
    {
        error_code ignored;
        socket_.close(ignored);
        deadline_.clear();
        ticket_.reset();
    }

    void cancel()
    {
        error_code ignored;
        socket_.cancel(ignored);
    }

    static Error too_late() { return unavailable("the peer took too long"); }
    [[nodiscard]] Error failure(std::string_view verb, error_code const& error) const
    {
        return has_expired() ? too_late() : unavailable(std::string(verb) + ": " + error.message());
    }

    Socket socket_;
    Peer peer_;
    std::shared_ptr<void> ticket_;
    Deadline deadline_;
};

Result<Peer> peer_of(int socket, int family)
{
    if (family == AF_UNIX)
        return Peer(TRY(unix_peer_of(socket)));
    return Peer(AddressPeer { to_string(TRY(remote_address_of(socket))) });
}

Result<int> family_of(int socket)
{
    int family = 0;
    socklen_t size = sizeof family;
    if (::getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0)
        return errno_error("read a socket's family", errno);
    return family;
}

Result<std::unique_ptr<Stream>> stream_of(Socket socket, int family, std::shared_ptr<void> ticket)
{
    if (family != AF_UNIX) {
        int const on = 1; // every write is a whole message
        ::setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    auto peer = TRY(peer_of(socket.native_handle(), family));
    return std::unique_ptr<Stream>(std::make_unique<SocketStream>(std::move(socket), std::move(peer), std::move(ticket)));
}

} // namespace

Result<std::unique_ptr<Stream>> stream_of(asio::io_context& context, UniqueFd socket, std::shared_ptr<void> ticket)
{
    auto const family = TRY(family_of(socket.get()));
    Socket asio_socket(context.get_executor());
    error_code error;
    asio_socket.assign(Protocol(family, 0), socket.get(), error);
    if (error)
        return unavailable("take over a socket: " + error.message());
    (void)socket.release();
    return stream_of(std::move(asio_socket), family, std::move(ticket));
}

Result<std::unique_ptr<Stream>> stream_of(asio::io_context& context, UniqueFd socket)
{
    return stream_of(context, std::move(socket), nullptr);
}

} // namespace writ::net
