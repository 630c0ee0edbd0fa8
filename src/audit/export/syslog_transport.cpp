// SPDX-License-Identifier: Apache-2.0
//
// Syslog over TLS (RFC 5425), TCP (RFC 6587) or a unix socket: a stream if it is one, else a datagram for each message. Nobody acknowledges
// syslog: when a connection breaks, what was sent on it last is sent again.
#include "audit/export/credentials.h"
#include "audit/export/syslog.h"
#include "net/stream.h"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace writ::audit {

namespace {

constexpr Duration connect_deadline = std::chrono::seconds(10);
constexpr Duration write_deadline = std::chrono::seconds(30);

class SyslogTransport final : public Transport {
public:
    SyslogTransport(ExportSpecification specification, std::string const& origin, Clock const& clock)
        : specification_(std::move(specification))
        , host_(syslog_host(origin))
        , clock_(clock)
    {
    }

    [[nodiscard]] bool is_unacknowledged() const override { return true; }

    net::Task<Result<>> send(std::vector<OutgoingEvent> const& events) override
    {
        auto connected = co_await connect();
        CO_TRY(connected);
        auto sent = co_await (datagram_.is_open() ? send_datagrams(events) : send_frames(events));
        if (sent.is_error())
            disconnect();
        co_return sent;
    }

private:
    void disconnect()
    {
        stream_.reset();
        datagram_ = UniqueFd();
    }

    net::Task<Result<>> connect()
    {
        // The receiver has gone, perhaps with what was sent last.
        if (stream_ && stream_->is_stale()) {
            disconnect();
            co_return unavailable("the receiver closed the connection");
        }
        if (stream_ || datagram_.is_open())
            co_return Result<>();
        if (auto const* local = std::get_if<net::UnixAddress>(&specification_.destination.address); local && open_datagram(*local))
            co_return Result<>();
        auto opened = co_await net::connect(specification_.destination.address, connect_deadline);
        auto plain = CO_TRY(opened);
        if (specification_.destination.is_tls) {
            auto client = create_tls_client(specification_, clock_);
            auto const tls = CO_TRY(client);
            plain->set_deadline(connect_deadline);
            auto secured = co_await tls->connect(std::move(plain), std::get<net::TcpAddress>(specification_.destination.address).host);
            plain = CO_TRY(secured);
        }
        stream_ = std::move(plain);
        co_return Result<>();
    }

    // Whether the socket is one for datagrams, as /dev/log is.
    bool open_datagram(net::UnixAddress const& local)
    {
        auto const address = net::to_socket_address(net::Address(local));
        UniqueFd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        if (address.is_error() || !socket.is_open()
            || ::connect(socket.get(), reinterpret_cast<sockaddr const*>(&address->storage), address->size) != 0)
            return false;
        datagram_ = std::move(socket);
        return true;
    }

    net::Task<Result<>> send_frames(std::vector<OutgoingEvent> const& events)
    {
        std::string frames;
        for (auto const& event : events)
            frames += syslog_frame(syslog_message(event, host_));
        stream_->set_deadline(write_deadline);
        auto written = co_await stream_->write(as_bytes(frames));
        stream_->clear_deadline();
        co_return written;
    }

    net::Task<Result<>> send_datagrams(std::vector<OutgoingEvent> const& events)
    {
        for (auto const& event : events) {
            auto const message = syslog_message(event, host_);
            for (;;) {
                if (::send(datagram_.get(), message.data(), message.size(), MSG_NOSIGNAL) >= 0)
                    break;
                if (errno != EAGAIN && errno != EINTR)
                    co_return errno_error("send to `" + specification_.destination.text + "`", errno);
                auto const writable = co_await net::wait_writable(datagram_.get(), write_deadline);
                if (writable.is_error())
                    co_return writable.error();
            }
        }
        co_return Result<>();
    }

    ExportSpecification specification_;
    std::string host_;
    Clock const& clock_;
    std::unique_ptr<net::Stream> stream_;
    UniqueFd datagram_;
};

} // namespace

std::unique_ptr<Transport> create_syslog_transport(ExportSpecification const& specification, std::string const& origin, Clock const& clock)
{
    return std::make_unique<SyslogTransport>(specification, origin, clock);
}

} // namespace writ::audit
