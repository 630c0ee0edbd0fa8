// SPDX-License-Identifier: Apache-2.0
#include "net/stream.h"

#include "net/listener.h"
#include "net/notification.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace writ::net {
namespace {

using namespace std::chrono_literals;

class TemporaryFolder {
public:
    TemporaryFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "writ-net-XXXXXX").string();
        path_ = ::mkdtemp(name.data());
    }
    ~TemporaryFolder() { std::filesystem::remove_all(path_); }
    TemporaryFolder(TemporaryFolder const&) = delete;
    TemporaryFolder& operator=(TemporaryFolder const&) = delete;
    [[nodiscard]] std::string file(char const* name) const { return (path_ / name).string(); }

private:
    std::filesystem::path path_;
};

Task<> echo_one(Listener& listener)
{
    auto accepted = co_await listener.accept();
    if (accepted.is_error())
        co_return;
    auto& stream = *accepted.value();
    Bytes buffer(16);
    for (;;) {
        auto size = co_await stream.read_some(buffer);
        if (size.is_error() || size.value() == 0)
            break;
        auto written = co_await stream.write(BytesView(buffer).first(size.value()));
        if (written.is_error())
            break;
    }
    co_await stream.finish();
}

Task<Result<std::string>> read_all(Stream& stream)
{
    std::string text;
    Bytes buffer(1024);
    for (;;) {
        auto read = co_await stream.read_some(buffer);
        auto const size = CO_TRY(read);
        if (size == 0)
            co_return text;
        text += as_text(BytesView(buffer).first(size));
    }
}

Task<Result<std::string>> say(Address address, std::string text)
{
    auto connected = co_await connect(address, 5s);
    auto const stream = CO_TRY(connected);
    auto written = co_await stream->write(as_bytes(text));
    CO_TRY(written);
    co_await stream->finish();
    auto answer = co_await read_all(*stream);
    co_return answer;
}

TEST(Stream, echoes_over_tcp_and_unix_sockets)
{
    TemporaryFolder const folder;
    EventLoop loop;
    auto const tcp = listen_tcp(loop, { "127.0.0.1", 0 });
    auto const unix_socket = listen_unix(loop, folder.file("echo.sock"), 0600);
    ASSERT_TRUE(tcp.is_ok());
    ASSERT_TRUE(unix_socket.is_ok()) << unix_socket.error().message;
    std::string const text(100'000, 'x');
    for (auto const* const listener : { &*tcp, &*unix_socket }) {
        loop.spawn(echo_one(**listener));
        auto const answer = loop.run(say((*listener)->address(), text));
        ASSERT_TRUE(answer.is_ok()) << answer.error().message;
        EXPECT_EQ(answer.value(), text);
    }
}

Task<Peer> peer_of_one(Listener& listener)
{
    auto accepted = co_await listener.accept();
    co_return accepted.value()->peer();
}

// Connects from a process that ends when the pipe closes.
pid_t connect_from_child(std::string const& path, int read_end, int write_end)
{
    auto const pid = ::fork();
    if (pid != 0)
        return pid;
    ::close(write_end);
    auto const address = to_socket_address(UnixAddress { path }).value();
    auto const socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    char byte = 0;
    if (::connect(socket, reinterpret_cast<sockaddr const*>(&address.storage), address.size) != 0 || ::read(read_end, &byte, 1) < 0)
        ::_exit(1);
    ::_exit(0);
}

TEST(Peer, is_the_process_that_connected_and_dies_with_it)
{
    TemporaryFolder const folder;
    EventLoop loop;
    auto const listener = listen_unix(loop, folder.file("a.sock"), 0600).value();
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    auto const child = connect_from_child(folder.file("a.sock"), ends[0], ends[1]);
    auto const peer = std::get<UnixPeer>(loop.run(peer_of_one(*listener)));
    EXPECT_EQ(peer.pid, child);
    EXPECT_EQ(peer.uid, ::getuid());
    EXPECT_EQ(describe(peer), "pid " + std::to_string(child) + " uid " + std::to_string(::getuid()));
    EXPECT_TRUE(peer.is_alive());

    ::close(ends[0]);
    ::close(ends[1]);
    ASSERT_TRUE(loop.run(wait_readable(peer.pidfd->get(), 10s)).is_ok());
    EXPECT_FALSE(peer.is_alive());
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_FALSE(UnixPeer {}.is_alive());
}

Task<Result<std::size_t>> read_until_deadline(Stream& stream)
{
    Bytes buffer(16);
    stream.set_deadline(1h);
    stream.set_deadline(20ms); // the nearer of the two counts
    auto first = co_await stream.read_some(buffer);
    EXPECT_EQ(first.error().code, ErrorCode::unavailable);
    EXPECT_TRUE(stream.has_expired());
    auto second = co_await stream.read_some(buffer);
    EXPECT_TRUE(second.is_error());
    stream.set_deadline(1h);
    auto written = co_await stream.write(as_bytes("too slow"));
    EXPECT_TRUE(written.is_ok());
    co_return first;
}

Task<std::string> stay_silent(Address address)
{
    auto connected = co_await connect(address, 5s);
    auto const stream = std::move(connected).value();
    auto answer = co_await read_all(*stream);
    co_return answer.value();
}

Task<> meet_silence(Listener& listener)
{
    auto accepted = co_await listener.accept();
    auto failed = co_await read_until_deadline(*accepted.value());
    EXPECT_TRUE(failed.is_error());
}

TEST(Stream, ends_reading_at_its_deadline_and_can_still_say_why)
{
    EventLoop loop;
    auto const listener = listen_tcp(loop, { "127.0.0.1", 0 }).value();
    loop.spawn(meet_silence(*listener));
    EXPECT_EQ(loop.run(stay_silent(listener->address())), "too slow");
}

TEST(Listener, replaces_the_socket_of_a_dead_process_but_nothing_else)
{
    TemporaryFolder const folder;
    auto const path = folder.file("a.sock");
    EventLoop loop;
    auto first = listen_unix(loop, path, 0640).value();
    struct stat file { };
    ASSERT_EQ(::stat(path.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0640U);
    EXPECT_EQ(listen_unix(loop, path, 0640).error().code, ErrorCode::conflict);

    // As if the process had died: the file stays, nobody listens.
    auto const kept = folder.file("kept");
    std::filesystem::rename(path, kept);
    first->close();
    std::filesystem::rename(kept, path);
    auto second = listen_unix(loop, path, 0600);
    ASSERT_TRUE(second.is_ok()) << second.error().message;

    // A file of the same name that is not ours stays.
    std::filesystem::remove(path);
    std::ofstream(path) << "not a socket";
    second.value()->close();
    EXPECT_TRUE(std::filesystem::exists(path));
    EXPECT_EQ(listen_unix(loop, path, 0600).error().code, ErrorCode::conflict);
}

// An accept() that goes on while the test does something else.
struct Acceptance {
    std::unique_ptr<Stream> stream;
    Notification done;
};

Task<> accept_into(Listener& listener, Acceptance& acceptance)
{
    auto accepted = co_await listener.accept();
    if (accepted.is_ok())
        acceptance.stream = std::move(accepted).value();
    acceptance.done.notify();
}

Task<> hold_one_and_wait_for_room(EventLoop& loop, Listener& listener, Acceptance& acceptance)
{
    auto const first = co_await connect(listener.address(), 5s);
    auto held = co_await listener.accept();
    auto const second = co_await connect(listener.address(), 5s);
    EXPECT_TRUE(second.is_ok());
    loop.spawn(accept_into(listener, acceptance));
    auto const came_early = co_await acceptance.done.wait_past(0, 30ms);
    EXPECT_FALSE(came_early);
    held.value()->close();
    auto const came_after = co_await acceptance.done.wait_past(0, 5s);
    EXPECT_TRUE(came_after);
}

TEST(Listener, leaves_further_connections_waiting_until_one_closes)
{
    EventLoop loop;
    auto const listener = listen_tcp(loop, { "127.0.0.1", 0 }, { .connections_max = 1 }).value();
    Acceptance acceptance;
    loop.run(hold_one_and_wait_for_room(loop, *listener, acceptance));
    EXPECT_TRUE(acceptance.stream);
}

Task<> hold_one_and_be_refused(EventLoop& loop, Listener& listener, Acceptance& acceptance)
{
    auto const first = co_await connect(listener.address(), 5s);
    auto held = co_await listener.accept();
    loop.spawn(accept_into(listener, acceptance));
    auto const refused = co_await connect(listener.address(), 5s);
    auto const nothing = co_await read_all(*refused.value());
    EXPECT_TRUE(nothing.is_error() || nothing.value().empty());
    EXPECT_FALSE(acceptance.stream);

    held.value()->close();
    auto const admitted = co_await connect(listener.address(), 5s);
    auto const came = co_await acceptance.done.wait_past(0, 5s);
    EXPECT_TRUE(came);
}

TEST(Listener, closes_connections_beyond_the_share_of_one_user)
{
    TemporaryFolder const folder;
    EventLoop loop;
    auto const listener = listen_unix(loop, folder.file("a.sock"), 0600, { .connections_per_uid_max = 1 }).value();
    Acceptance acceptance;
    loop.run(hold_one_and_be_refused(loop, *listener, acceptance));
    EXPECT_TRUE(acceptance.stream);
}

TEST(Listener, ends_a_waiting_accept_when_it_is_closed)
{
    EventLoop loop;
    auto listener = listen_tcp(loop, { "127.0.0.1", 0 }).value();
    Acceptance acceptance;
    loop.spawn(accept_into(*listener, acceptance));
    loop.post([&] { listener.reset(); });
    EXPECT_TRUE(loop.run(acceptance.done.wait_past(0, 5s)));
    EXPECT_FALSE(acceptance.stream);
}

TEST(Connect, tells_what_did_not_answer)
{
    EventLoop loop;
    auto listener = listen_tcp(loop, { "127.0.0.1", 0 }).value();
    auto const address = listener->address();
    listener.reset();
    auto const refused = loop.run(connect(address, 5s));
    EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
    EXPECT_EQ(refused.error().message, "connect to `" + to_string(address) + "`: Connection refused");
    EXPECT_TRUE(loop.run(connect(UnixAddress { "/nonexistent/a.sock" }, 5s)).is_error());
}

} // namespace
} // namespace writ::net
