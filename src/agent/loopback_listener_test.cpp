// SPDX-License-Identifier: Apache-2.0
#include "agent/loopback_listener.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::agent;

namespace {

struct Seen {
    std::vector<std::unique_ptr<net::Stream>> served;
};

net::Task<> accept_all(net::Listener* listener, Seen* seen)
{
    for (;;) {
        auto accepted = co_await listener->accept();
        if (accepted.is_error())
            co_return;
        seen->served.push_back(std::move(accepted).value());
    }
}

net::Task<std::unique_ptr<net::Stream>> come(net::Address to)
{
    auto connected = co_await net::connect(to, std::chrono::seconds(5));
    co_return std::move(connected).value();
}

net::Task<bool> is_closed(net::Stream* stream)
{
    stream->set_deadline(std::chrono::seconds(5));
    Bytes one(1);
    auto const size = co_await stream->read_some(one);
    co_return !stream->has_expired() && (size.is_error() || size.value() == 0);
}

} // namespace

TEST(LoopbackListener, bounds_the_connections_of_each_user)
{
    net::EventLoop loop;
    Seen seen;
    uid_t user = 1000;
    bool is_known = true;
    auto const listener = bound_for_each_user(
        net::listen_tcp(loop, { "127.0.0.1", 0 }).value(), [&](std::uint16_t) { return is_known ? std::optional(user) : std::nullopt; }, 2);
    loop.spawn(accept_all(listener.get(), &seen));
    std::vector<std::unique_ptr<net::Stream>> clients;
    auto const come_once = [&] {
        clients.push_back(loop.run(come(listener->address())));
        loop.run(net::delay(std::chrono::milliseconds(20)));
    };
    for (int i = 0; i < 3; ++i)
        come_once();
    EXPECT_EQ(seen.served.size(), 2U);
    EXPECT_TRUE(loop.run(is_closed(clients.back().get())));
    user = 1001; // another one is served all the same
    come_once();
    EXPECT_EQ(seen.served.size(), 3U);
    user = 1000;
    seen.served.erase(seen.served.begin()); // and the first one again, when one of his has ended
    come_once();
    EXPECT_EQ(seen.served.size(), 3U);
    is_known = false;
    come_once();
    EXPECT_EQ(seen.served.size(), 3U);
    EXPECT_TRUE(loop.run(is_closed(clients.back().get())));
    listener->close();
    loop.run(net::delay(std::chrono::milliseconds(20)));
}
