// SPDX-License-Identifier: Apache-2.0
#include "harness/raw_socket.h"

#include <csignal>
#include <fstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace writ::bench {

namespace {

UniqueFd connected(std::string const& path)
{
    auto const address = net::to_socket_address(net::UnixAddress { path }).value();
    UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket.is_open() || ::connect(socket.get(), reinterpret_cast<sockaddr const*>(&address.storage), address.size) != 0)
        give_up("cannot connect to " + path);
    return socket;
}

bool read_all(int socket, std::span<std::uint8_t> into)
{
    while (!into.empty()) {
        auto const size = ::read(socket, into.data(), into.size());
        if (size <= 0)
            return false;
        into = into.subspan(static_cast<std::size_t>(size));
    }
    return true;
}

[[noreturn]] void answer_all(int socket, std::span<std::uint8_t> question, BytesView answer)
{
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read_all(socket, question) && ::write(socket, answer.data(), answer.size()) == static_cast<ssize_t>(answer.size())) { }
    ::_exit(0);
}

} // namespace

RawSocket::RawSocket(std::string const& path)
    : socket_(connected(path))
{
}

void RawSocket::write(BytesView bytes)
{
    if (::write(socket_.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        give_up("the peer takes no more");
    written += bytes.size();
}

std::size_t RawSocket::read(std::span<std::uint8_t> into)
{
    auto const size = ::read(socket_.get(), into.data(), into.size());
    if (size <= 0)
        give_up("the peer has closed");
    received += static_cast<std::uint64_t>(size);
    return static_cast<std::size_t>(size);
}

PingPong::PingPong(std::size_t question_bytes, std::size_t answer_bytes)
    : question_(question_bytes, 'q')
    , answer_(answer_bytes, 'a')
{
    int sockets[2] = { -1, -1 };
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        give_up("no pair of sockets");
    ours_ = UniqueFd(sockets[0]);
    UniqueFd const theirs(sockets[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
        ours_.reset();
        answer_all(theirs.get(), question_, answer_);
    }
}

PingPong::~PingPong()
{
    ours_.reset();
    ::waitpid(pid_, nullptr, 0);
}

void PingPong::ask()
{
    if (::write(ours_.get(), question_.data(), question_.size()) != static_cast<ssize_t>(question_.size()) || !read_all(ours_.get(), answer_))
        give_up("the child has ended");
}

double PingPong::cpu_seconds() const
{
    double nanoseconds = 0;
    std::ifstream("/proc/" + std::to_string(pid_) + "/schedstat") >> nanoseconds;
    return nanoseconds / 1e9;
}

} // namespace writ::bench
