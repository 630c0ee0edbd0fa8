// SPDX-License-Identifier: Apache-2.0
#include "net/listener.h"

#include "base/logger.h"
#include "net/asio_types.h"
#include "net/notification.h"
#include "net/socket_stream.h"

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <map>
#include <optional>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::net {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

namespace {

// How long to wait when the process has no descriptor left for another connection.
constexpr Duration exhausted_pause = std::chrono::milliseconds(50);

// What is open now. Outlives the listener while connections do.
struct Occupancy {
    std::size_t connections = 0;
    std::map<uid_t, std::size_t> of_uid;
    Notification freed;
};

// Counts one connection for as long as it lives.
std::shared_ptr<void> ticket_of(std::shared_ptr<Occupancy> const& occupancy, std::optional<uid_t> uid)
{
    ++occupancy->connections;
    if (uid)
        ++occupancy->of_uid[*uid];
    return { occupancy.get(), [occupancy, uid](void*) {
                --occupancy->connections;
                if (uid && --occupancy->of_uid[*uid] == 0)
                    occupancy->of_uid.erase(*uid);
                occupancy->freed.notify();
            } };
}

// Of a unix socket's peer.
std::optional<uid_t> uid_of(int socket)
{
    ucred credentials {};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0 || credentials.uid == static_cast<uid_t>(-1))
        return std::nullopt;
    return credentials.uid;
}

// Which file a unix socket is, so that a successor's socket of the same name is left alone.
struct SocketFile {
    std::string path;
    dev_t device = 0;
    ino_t inode = 0;
};

void remove_socket_file(SocketFile const& file)
{
    struct stat now { };
    if (::lstat(file.path.c_str(), &now) == 0 && now.st_dev == file.device && now.st_ino == file.inode)
        ::unlink(file.path.c_str());
}

class SocketListener final : public Listener {
public:
    SocketListener(asio::io_context& context, std::shared_ptr<Descriptor> listening, Address address, std::optional<SocketFile> file,
        ListenerLimits limits)
        : context_(context)
        , listening_(std::move(listening))
        , address_(std::move(address))
        , file_(std::move(file))
        , limits_(limits)
        , occupancy_(std::make_shared<Occupancy>())
    {
    }
    ~SocketListener() override { close_socket(); }

    Task<Result<std::unique_ptr<Stream>>> accept() override
    {
        auto const listening = listening_; // may be closed, even destroyed, while this waits
        auto const occupancy = occupancy_;
        auto const limits = limits_;
        auto& context = context_;
        while (listening->is_open()) {
            auto const seen = occupancy->freed.version();
            if (occupancy->connections >= limits.connections_max) {
                co_await occupancy->freed.wait_past(seen, wait_max);
                continue;
            }
            UniqueFd socket(::accept4(listening->native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
            if (!socket.is_open()) {
                co_await recover(*listening, errno);
                continue;
            }
            auto stream = admit(context, std::move(socket), occupancy, limits);
            if (stream.is_ok())
                co_return stream;
            log_debug("refused a connection", { { "why", stream.error().message } });
            // Someone who connects as fast as we refuse must not keep the loop from the others.
            co_await asio::post(context.get_executor(), as_values);
        }
        co_return unavailable("the listener was closed");
    }

    [[nodiscard]] Address address() const override { return address_; }
    void close() override { close_socket(); }

private:
    static Result<std::unique_ptr<Stream>> admit(
        asio::io_context& context, UniqueFd socket, std::shared_ptr<Occupancy> const& occupancy, ListenerLimits const& limits)
    {
        auto const uid = uid_of(socket.get());
        if (uid && occupancy->of_uid.contains(*uid) && occupancy->of_uid.at(*uid) >= limits.connections_per_uid_max)
            return resource_exhausted("uid " + std::to_string(*uid) + " has too many connections");
        return stream_of(context, std::move(socket), ticket_of(occupancy, uid));
    }

    static Task<> recover(Descriptor& listening, int error_number)
    {
        if (error_number == EAGAIN || error_number == EWOULDBLOCK) {
            co_await listening.async_wait(Descriptor::wait_read, as_values);
        } else if (error_number == EMFILE || error_number == ENFILE || error_number == ENOBUFS || error_number == ENOMEM) {
            log_warning("cannot take more connections", { { "why", errno_error("accept", error_number).message } });
            co_await delay(exhausted_pause);
        }
        // All else is the trouble of one connection that went away while it waited (accept(2)).
    }

    void close_socket()
    {
        if (!listening_->is_open())
            return;
        if (file_)
            remove_socket_file(*file_);
        boost::system::error_code ignored;
        listening_->close(ignored);
        occupancy_->freed.notify();
    }

    asio::io_context& context_;
    std::shared_ptr<Descriptor> listening_;
    Address address_;
    std::optional<SocketFile> file_;
    ListenerLimits limits_;
    std::shared_ptr<Occupancy> occupancy_;
};

Result<UniqueFd> create_socket(int family)
{
    UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket.is_open())
        return errno_error("create a socket", errno);
    return socket;
}

Result<> bind_and_listen(int socket, SocketAddress const& address)
{
    if (::bind(socket, reinterpret_cast<sockaddr const*>(&address.storage), address.size) != 0)
        return errno == EADDRINUSE ? conflict("bind: the address is in use") : errno_error("bind", errno);
    if (::listen(socket, SOMAXCONN) != 0)
        return errno_error("listen", errno);
    return {};
}

bool has_listener(SocketAddress const& address)
{
    auto const socket = create_socket(AF_UNIX);
    if (socket.is_error())
        return true;
    auto const result = ::connect(socket.value().get(), reinterpret_cast<sockaddr const*>(&address.storage), address.size);
    return result == 0 || errno != ECONNREFUSED;
}

// LIMIT: two processes that start in the same moment may both replace the dead one's socket; the later one serves.
Result<> remove_dead_socket(std::string const& path, SocketAddress const& address)
{
    struct stat existing { };
    if (::lstat(path.c_str(), &existing) != 0)
        return errno == ENOENT ? Result<>() : errno_error("look at `" + path + "`", errno);
    if (!S_ISSOCK(existing.st_mode))
        return conflict("`" + path + "` exists and is not a socket");
    if (has_listener(address))
        return conflict("another process listens on `" + path + "`");
    if (::unlink(path.c_str()) != 0)
        return errno_error("remove `" + path + "`", errno);
    return {};
}

Result<SocketFile> set_mode(std::string const& path, mode_t mode)
{
    struct stat file { };
    if (::chmod(path.c_str(), mode) != 0 || ::lstat(path.c_str(), &file) != 0)
        return errno_error("set the mode of `" + path + "`", errno);
    return SocketFile { .path = path, .device = file.st_dev, .inode = file.st_ino };
}

Result<std::unique_ptr<Listener>> listener_of(
    EventLoop& loop, UniqueFd socket, Address address, std::optional<SocketFile> file, ListenerLimits limits)
{
    auto listening = std::make_shared<Descriptor>(loop.context().get_executor());
    boost::system::error_code error;
    listening->assign(socket.get(), error);
    if (error)
        return unavailable("watch a listening socket: " + error.message());
    (void)socket.release();
    return std::unique_ptr<Listener>(
        std::make_unique<SocketListener>(loop.context(), std::move(listening), std::move(address), std::move(file), limits));
}

} // namespace

Result<std::unique_ptr<Listener>> listen_tcp(EventLoop& loop, TcpAddress const& address, ListenerLimits limits)
{
    auto const context = "listen on `" + to_string(address) + "`";
    auto const socket_address = TRY(to_socket_address(address).in(context));
    auto socket = TRY(create_socket(socket_address.storage.ss_family).in(context));
    int const on = 1; // a restart must not wait for the last connections' TIME_WAIT
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    TRY(bind_and_listen(socket.get(), socket_address).in(context));
    auto actual = TRY(local_address_of(socket.get()).in(context));
    return listener_of(loop, std::move(socket), std::move(actual), std::nullopt, limits);
}

Result<std::unique_ptr<Listener>> listen_unix(EventLoop& loop, std::string const& path, mode_t mode, ListenerLimits limits)
{
    auto const context = "listen on `unix:" + path + "`";
    auto const socket_address = TRY(to_socket_address(UnixAddress { path }).in(context));
    TRY(remove_dead_socket(path, socket_address).in(context));
    auto socket = TRY(create_socket(AF_UNIX).in(context));
    // SECURITY: on Linux bind() gives the file the socket's mode less the umask, so it is at no moment open to more than `mode`.
    if (::fchmod(socket.get(), mode) != 0)
        return errno_error(context, errno);
    TRY(bind_and_listen(socket.get(), socket_address).in(context));
    auto file = TRY(set_mode(path, mode).in(context));
    return listener_of(loop, std::move(socket), UnixAddress { path }, std::move(file), limits);
}

} // namespace writ::net
