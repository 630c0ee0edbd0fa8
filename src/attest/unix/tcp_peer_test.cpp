// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/tcp_peer.h"

#include "attest/unix/sock_diag.h"
#include "base/durable_file.h"

#include "base/unique_fd.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace writ::attest {
namespace {

constexpr std::string_view table
    = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
      "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 11 1 0000000000000000 100 0 0 10 0\n"
      "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 22 1 0000000000000000 20 4 30 10 -1\n"
      "   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 33 1 0000000000000000 20 4 30 10 -1\n"
      "   3: 0200007F:C351 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 44 1 0000000000000000 20 4 30 10 -1\n"
      "   4: 0100007F:C352 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 0 1 0000000000000000 20 4 30 10 -1\n";

struct Connection {
    UniqueFd listener, client, server;
    std::uint16_t client_port = 0, server_port = 0;
};

std::uint16_t port_of(int socket)
{
    sockaddr_in address {};
    socklen_t size = sizeof address;
    EXPECT_EQ(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return ntohs(address.sin_port);
}

Connection connect_to_ourselves()
{
    Connection connection;
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connection.listener = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(connection.listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(connection.listener.get(), 1), 0);
    connection.server_port = port_of(connection.listener.get());
    address.sin_port = htons(connection.server_port);
    connection.client = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(connection.client.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    connection.client_port = port_of(connection.client.get());
    connection.server = UniqueFd(::accept(connection.listener.get(), nullptr, nullptr));
    return connection;
}

TEST(TcpPeer, is_the_clients_end_of_an_established_connection_and_no_other_line)
{
    EXPECT_EQ(find_in_tcp_table(table, 50000, 8080), (SocketOwner { 1000, 33 }));
    EXPECT_FALSE(find_in_tcp_table(table, 50001, 8080)); // 127.0.0.2
    EXPECT_FALSE(find_in_tcp_table(table, 50002, 8080)); // of a process that is gone
    EXPECT_FALSE(find_in_tcp_table(table, 50003, 8080));
    for (std::size_t size = 0; size < table.size(); ++size)
        (void)find_in_tcp_table(table.substr(0, size), 50000, 8080);
}

TEST(TcpPeer, of_a_real_connection_is_this_process_and_its_ancestors)
{
    auto const connection = connect_to_ourselves();
    auto const owner = socket_owner(connection.client_port, connection.server_port).value();
    auto const told = ask_sock_diag(connection.client_port, connection.server_port);
    EXPECT_TRUE(told.is_error() || *told == owner);
    auto const sockets = read_file("/proc/net/tcp", std::size_t(64) << 20U).value();
    EXPECT_EQ(find_in_tcp_table(as_text(sockets), connection.client_port, connection.server_port), owner);
    // Not the listener of that port, and nobody else.
    EXPECT_TRUE(ask_sock_diag(connection.server_port, 1).is_error());
    EXPECT_TRUE(ask_sock_diag(1, connection.server_port).is_error());
    EXPECT_EQ(owner.uid, ::getuid());
    SocketHolders holders;
    for (int asked = 0; asked < 2; ++asked) {
        auto const line = holders.holder_with_ancestors(owner).value();
        ASSERT_GE(line.size(), 1U);
        EXPECT_EQ(line.front(), ::getpid());
        EXPECT_TRUE(line.size() == 1 || line[1] == ::getppid());
    }
    EXPECT_TRUE(holders.holder_with_ancestors({ owner.uid, owner.inode + 1'000'000 }).is_error());
    EXPECT_TRUE(holders.holder_with_ancestors({ owner.uid + 1, owner.inode }).is_error());
}

} // namespace
} // namespace writ::attest
