// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <gtest/gtest.h>

namespace writ::net {
namespace {

TEST(Address, reads_back_what_it_writes)
{
    for (auto const* const text : { "127.0.0.1:8443", "[::1]:8443", "authority.internal:443", "localhost:0", "unix:/run/writ/agent.sock",
             "unix:a.sock", "unix:////two/slashes" }) {
        auto const address = parse_address(text);
        ASSERT_TRUE(address.is_ok()) << text;
        EXPECT_EQ(to_string(address.value()), text);
    }
    EXPECT_EQ(parse_address("unix:///run/a.sock").value(), Address(UnixAddress { "/run/a.sock" }));
}

TEST(Address, refuses_what_could_be_read_in_two_ways)
{
    for (auto const* const text : { "", "host", "host:", ":80", "host:80x", "host:65536", "host:-1", "host: 80", "::1:80", "[::1]", "[::1",
             "[::1]80", "[127.0.0.1]:80", "a b:80", "a..b:80", "a@b:80", "http://a:80", "unix:", "unix://host/a", "-a:80" })
        EXPECT_TRUE(parse_address(text).is_error()) << text;
    EXPECT_TRUE(parse_address("unix:" + std::string(107, 'a')).is_ok());
    EXPECT_TRUE(parse_address("unix:" + std::string(108, 'a')).is_error());
    EXPECT_TRUE(parse_address(std::string_view("unix:/a\0b", 9)).is_error());
}

TEST(HttpsOrigin, has_a_default_port_and_nothing_behind_it)
{
    EXPECT_EQ(parse_https_origin("https://sts.example.com").value(), (TcpAddress { "sts.example.com", 443 }));
    EXPECT_EQ(parse_https_origin("https://[::1]:8443").value(), (TcpAddress { "::1", 8443 }));
    for (auto const* const text : { "http://a", "https://", "https://a/", "https://a?b", "https://u@a", "HTTPS//a", "https://a:" })
        EXPECT_TRUE(parse_https_origin(text).is_error()) << text;
}

TEST(SocketAddress, is_only_made_of_what_needs_no_resolution)
{
    EXPECT_EQ(to_socket_address(TcpAddress { "localhost", 80 }).error().code, ErrorCode::not_found);
    EXPECT_EQ(to_socket_address(TcpAddress { "::1", 80 }).value().storage.ss_family, AF_INET6);
    EXPECT_EQ(to_socket_address(UnixAddress { std::string(108, 'a') }).error().code, ErrorCode::invalid_argument);
}

} // namespace
} // namespace writ::net
