// SPDX-License-Identifier: Apache-2.0
#include "net/peer.h"

#include "base/result.h"

#include <cerrno>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace writ::net {

namespace {

// Linux 6.5; older headers have no name for it.
constexpr int so_peerpidfd = 77;

// Empty if the process is gone: the connection stands, but nobody can be attested behind it.
UniqueFd peer_pidfd_of(int socket, pid_t pid)
{
    int fd = -1;
    socklen_t size = sizeof fd;
    if (::getsockopt(socket, SOL_SOCKET, so_peerpidfd, &fd, &size) == 0)
        return UniqueFd(fd);
    if (errno != ENOPROTOOPT || pid <= 0)
        return UniqueFd();
    // LIMIT: before 6.5 the connector may have died and its number been taken since connect(); what is opened then is the new process,
    // which an attestor sees to have started after the connection.
    return UniqueFd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

struct Describer {
    std::string operator()(AddressPeer const& peer) const { return peer.address; }
    std::string operator()(UnixPeer const& peer) const { return "pid " + std::to_string(peer.pid) + " uid " + std::to_string(peer.uid); }
    std::string operator()(TlsPeer const& peer) const { return peer.spiffe_id.empty() ? peer.address : peer.spiffe_id; }
};

} // namespace

bool UnixPeer::is_alive() const
{
    if (!pidfd || !pidfd->is_open())
        return false;
    // A pidfd becomes readable when its process has ended (pidfd_open(2)).
    pollfd watched { .fd = pidfd->get(), .events = POLLIN, .revents = 0 };
    int ready = 0;
    do
        ready = ::poll(&watched, 1, 0);
    while (ready < 0 && errno == EINTR);
    return ready == 0;
}

std::string describe(Peer const& peer) { return std::visit(Describer {}, peer); }

Result<UnixPeer> unix_peer_of(int socket)
{
    ucred credentials {};
    socklen_t size = sizeof credentials;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0)
        return errno_error("read a peer's credentials", errno);
    UnixPeer peer { .pid = credentials.pid, .uid = credentials.uid, .gid = credentials.gid, .pidfd = nullptr };
    if (auto fd = peer_pidfd_of(socket, credentials.pid); fd.is_open())
        peer.pidfd = std::make_shared<UniqueFd const>(std::move(fd));
    return peer;
}

} // namespace writ::net
