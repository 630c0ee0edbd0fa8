// SPDX-License-Identifier: Apache-2.0
#include "net/forward.h"

#include "net/http_server.h"
#include "net/notification.h"

#include <gtest/gtest.h>

namespace writ::net {
namespace {

using namespace std::chrono_literals;

// A server that says what it is told to, piece by piece, to one client at a time, and keeps what it was sent.
struct Upstream {
    std::vector<std::string> says;
    std::size_t wants = 0; // bytes to read before it says anything; 0: a head
    std::string heard {};
    bool is_left = false; // by its client
};

Task<> serve_one(std::unique_ptr<Stream> stream, Upstream* upstream)
{
    Bytes piece(4096);
    auto const is_enough = [upstream] { return upstream->wants > 0 ? upstream->heard.size() >= upstream->wants : upstream->heard.find("\r\n\r\n") != std::string::npos; };
    while (!is_enough()) {
        auto const size = co_await stream->read_some(piece);
        if (size.is_error() || size.value() == 0)
            co_return;
        upstream->heard += as_text(BytesView(piece).first(size.value()));
    }
    for (auto const& text : upstream->says) {
        if (text == "wait") { // until the client has left
            auto const size = co_await stream->read_some(piece);
            upstream->is_left = size.is_error() || size.value() == 0;
        } else {
            auto const written = co_await stream->write(as_bytes(text));
            co_await delay(5ms);
            EXPECT_TRUE(written.is_ok());
        }
    }
    co_await stream->finish();
}

Task<> serve_all(std::shared_ptr<Listener> listener, Upstream* upstream)
{
    for (;;) {
        auto stream = co_await listener->accept();
        if (stream.is_error())
            co_return;
        co_await serve_one(std::move(stream).value(), upstream);
    }
}

Task<std::optional<Response>> hand_on(EventLoop* loop, Address to, Request head, std::string read_ahead, Stream* client)
{
    auto server = co_await connect(to, 5s);
    head.path = head.path.substr(2); // `/x/a` is `/a` there
    head.headers.set("authorization", "Bearer token");
    auto const done = co_await forward(*loop, { std::move(head), "api.example", std::move(read_ahead) }, *client, std::move(server).value(), { .idle_deadline = 5s });
    if (done.is_ok())
        co_return std::nullopt;
    co_return Response { 502, {}, done.error().message };
}

Task<std::string> exchange(Address server, std::string bytes, std::string until)
{
    auto connected = co_await connect(server, 5s);
    auto const stream = std::move(connected).value();
    auto const written = co_await stream->write(as_bytes(bytes));
    EXPECT_TRUE(written.is_ok());
    std::string answer;
    Bytes buffer(4096);
    while (until.empty() || answer.find(until) == std::string::npos) {
        auto const size = co_await stream->read_some(buffer);
        if (size.is_error() || size.value() == 0)
            co_return answer;
        answer += as_text(BytesView(buffer).first(size.value()));
    }
    co_return answer;
}

class Forward : public testing::Test {
protected:
    Forward()
    {
        upstream_listener_ = std::shared_ptr<Listener>(listen_tcp(loop_, { "127.0.0.1", 0 }).value());
        auto const to = upstream_listener_->address();
        auto listener = listen_tcp(loop_, { "127.0.0.1", 0 }).value();
        address_ = listener->address();
        HttpTakeover takeover { [](Request const& head) { return head.path.starts_with("/x/"); },
            [this, to](Request head, std::string read_ahead, Stream& client) { return hand_on(&loop_, to, std::move(head), std::move(read_ahead), &client); } };
        server_ = std::make_unique<HttpServer>(loop_, answer, HttpServerLimits {}, std::move(takeover));
        server_->serve(std::move(listener));
        loop_.spawn(serve_all(upstream_listener_, &upstream_));
    }
    ~Forward() override { upstream_listener_->close(); }

    static Task<Response> answer(Request) { co_return Response { 200, {}, "ours" }; }

    // All that the client gets, until that text or the end.
    std::string say(std::string bytes, std::string until = "") { return loop_.run(exchange(address_, std::move(bytes), std::move(until))); }

    EventLoop loop_;
    Upstream upstream_;
    std::shared_ptr<Listener> upstream_listener_;
    Address address_;
    std::unique_ptr<HttpServer> server_;
};

constexpr std::string_view answer_of_two = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nKeep-Alive: timeout=5\r\nConnection: keep-alive\r\nx-a: b\r\n\r\nhi";

TEST_F(Forward, hands_a_request_on_as_it_is_but_for_what_is_between_neighbours)
{
    upstream_.says = { std::string(answer_of_two) };
    upstream_.wants = 1;
    auto const got = say("POST /x/a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer handle\r\nX-Hop: 1\r\nConnection: keep-alive, X-Hop, Content-Length\r\nTE: trailers\r\n"
                         "Content-Length: 5\r\nAccept: a\r\n\r\nhello");
    EXPECT_EQ(got, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\nconnection: close\r\n\r\nhi");
    EXPECT_TRUE(upstream_.heard.starts_with("POST /a%20b?c=d HTTP/1.1\r\nhost: api.example\r\n")) << upstream_.heard;
    EXPECT_NE(upstream_.heard.find("authorization: Bearer token\r\n"), std::string::npos);
    EXPECT_NE(upstream_.heard.find("Content-Length: 5\r\n"), std::string::npos); // it tells where the message ends, whatever `Connection` names
    EXPECT_EQ(upstream_.heard.find("handle"), std::string::npos);
    EXPECT_EQ(upstream_.heard.find("Hop"), std::string::npos);
    EXPECT_EQ(upstream_.heard.find("TE:"), std::string::npos);
    EXPECT_NE(upstream_.heard.find("connection: close\r\n\r\n"), std::string::npos);
}

TEST_F(Forward, leaves_other_paths_to_the_handler_on_the_same_connection)
{
    upstream_.says = { std::string(answer_of_two) };
    auto const got = say("GET /own HTTP/1.1\r\nHost: a\r\n\r\nGET /x/a HTTP/1.1\r\nHost: a\r\n\r\nGET /x/never HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_NE(got.find("ours"), std::string::npos);
    EXPECT_TRUE(got.ends_with("hi")) << got;
    EXPECT_EQ(upstream_.heard.find("never"), std::string::npos); // behind the body is nothing
}

TEST_F(Forward, brings_an_answer_as_it_comes)
{
    upstream_.says = { "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n", "data: one\n\n", "wait" };
    EXPECT_TRUE(say("GET /x/a HTTP/1.1\r\nHost: a\r\n\r\n", "data: one\n\n").ends_with("data: one\n\n"));
    // Its client left in the middle: so does ours.
    for (int i = 0; i < 1000 && !upstream_.is_left; ++i)
        loop_.run(delay(5ms));
    EXPECT_TRUE(upstream_.is_left);
}

TEST_F(Forward, brings_bodies_longer_than_any_buffer_both_ways)
{
    std::string const body(3'000'000, 'b');
    upstream_.says = { "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" + body };
    upstream_.wants = body.size();
    auto const got = say("PUT /x/a HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_TRUE(got.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")) << got.substr(0, 100);
    EXPECT_TRUE(got.ends_with(body.substr(0, 1000)) && got.size() > body.size());
    EXPECT_TRUE(upstream_.heard.ends_with(body));
    upstream_.heard.clear();
    upstream_.wants = 100;
    EXPECT_NE(say("PUT /x/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "bbb").find("200"), std::string::npos);
    EXPECT_NE(upstream_.heard.find("5\r\nhello\r\n0\r\n\r\n"), std::string::npos);
}

TEST_F(Forward, brings_the_answer_of_a_server_that_takes_no_more)
{
    upstream_.says = { "HTTP/1.1 413 Content Too Large\r\ncontent-length: 0\r\n\r\n" };
    EXPECT_NE(say("PUT /x/a HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + std::string(100'000, 'b'), "\r\n\r\n").find("413"), std::string::npos);
}

TEST_F(Forward, says_so_if_there_is_no_answer)
{
    upstream_.says = {};
    EXPECT_NE(say("GET /x/a HTTP/1.1\r\nHost: a\r\n\r\n").find("502"), std::string::npos);
    for (auto const* bad : { "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n", "HTTP/1.1 9 A\r\n\r\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 200 OK\n\n" }) {
        upstream_.heard.clear();
        upstream_.says = { bad };
        EXPECT_NE(say("GET /x/a HTTP/1.1\r\nHost: a\r\n\r\n").find("502"), std::string::npos) << bad;
    }
}

TEST_F(Forward, leaves_an_answer_that_was_cut_off_without_its_end)
{
    upstream_.says = { "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel" };
    auto const got = say("GET /x/a HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_TRUE(got.ends_with("5\r\nhel")) << got;
}

} // namespace
} // namespace writ::net
