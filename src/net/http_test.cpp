// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"
#include "net/http_server.h"
#include "net/notification.h"

#include <gtest/gtest.h>
#include <stdexcept>

namespace writ::net {
namespace {

using namespace std::chrono_literals;

// Tells what it was asked.
Task<Response> reflect(Request request)
{
    if (request.path == "/throw")
        throw std::runtime_error("a bug");
    if (request.path == "/slow")
        co_await delay(100ms);
    if (request.path == "/split")
        co_return Response { .status = 200, .headers = { { "x", "a\r\nset-cookie: b" } }, .body = "" };
    if (request.path == "/empty")
        co_return Response { .status = 204, .headers = {}, .body = "" };
    auto text = request.method + " " + request.path + " " + to_form(request.query) + " " + request.body;
    co_return Response { .status = 200, .headers = { { "x-peer", describe(request.peer) } }, .body = std::move(text) };
}

// Everything the server says to these bytes until it closes.
Task<std::string> exchange(Address server, std::string bytes, bool finish)
{
    auto connected = co_await connect(server, 5s);
    auto const stream = std::move(connected).value();
    auto const written = co_await stream->write(as_bytes(bytes));
    EXPECT_TRUE(written.is_ok());
    if (finish)
        co_await stream->finish();
    std::string answer;
    Bytes buffer(4096);
    for (;;) {
        auto const size = co_await stream->read_some(buffer);
        if (size.is_error() || size.value() == 0)
            co_return answer;
        answer += as_text(BytesView(buffer).first(size.value()));
    }
}

struct Watched {
    bool was_there = false, has_left = false;
};

Task<Response> watch(Request request, Watched& watched)
{
    watched.was_there = !request.has_left();
    while (!request.has_left())
        co_await delay(1ms);
    watched.has_left = true;
    co_return Response {};
}

// Asks, and leaves without an answer.
Task<> leave(Address server, Watched& watched)
{
    auto connected = co_await connect(server, 5s);
    auto stream = std::move(connected).value();
    auto const written = co_await stream->write(as_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /next"));
    EXPECT_TRUE(written.is_ok());
    while (!watched.was_there)
        co_await delay(1ms);
    stream.reset();
    while (!watched.has_left)
        co_await delay(1ms);
}

class Http : public testing::Test {
protected:
    void serve(HttpServerLimits limits = {})
    {
        auto listener = listen_tcp(loop_, { "127.0.0.1", 0 }).value();
        address_ = listener->address();
        server_ = std::make_unique<HttpServer>(loop_, reflect, limits);
        server_->serve(std::move(listener));
    }
    std::string say(std::string bytes) { return loop_.run(exchange(address_, std::move(bytes), true)); }
    // To a server that has to close by itself.
    std::string say_and_wait(std::string bytes) { return loop_.run(exchange(address_, std::move(bytes), false)); }
    int status_of(std::string bytes)
    {
        auto const answer = say_and_wait(std::move(bytes));
        return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9, 3)) : 0;
    }

    EventLoop loop_;
    Address address_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(Http, answers_pipelined_requests_in_their_order)
{
    serve();
    auto const answer = say("GET /slow HTTP/1.1\r\nHost: a\r\n\r\nPOST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /c "
                            "HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    auto const first = answer.find("GET /slow  ");
    auto const second = answer.find("POST /b  hi");
    auto const third = answer.find("GET /c  ");
    EXPECT_LT(first, second);
    EXPECT_LT(second, third);
    EXPECT_NE(third, std::string::npos);
    EXPECT_NE(answer.find("connection: close"), std::string::npos);
}

TEST_F(Http, reads_chunked_bodies_and_ignores_their_trailers)
{
    serve();
    auto const answer = say("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: "
                            "close\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nAuthorization: none\r\n\r\n");
    EXPECT_NE(answer.find("POST /a  abcde"), std::string::npos) << answer;
}

TEST_F(Http, invites_the_body_of_a_client_that_asks_first)
{
    serve();
    auto const answer = say("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\n")) << answer;
    EXPECT_EQ(status_of("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: else\r\n\r\n"), 417);
    EXPECT_EQ(status_of("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"), 413);
}

TEST_F(Http, sends_no_body_to_head_and_none_with_204)
{
    serve();
    auto const head = say("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_NE(head.find("content-length: 9\r\n"), std::string::npos) << head;
    EXPECT_TRUE(head.ends_with("\r\n\r\n"));
    auto const empty = say("GET /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_EQ(empty.find("content-length"), std::string::npos);
}

TEST_F(Http, refuses_requests_that_two_parsers_may_read_differently)
{
    serve();
    std::string const line = "POST /a HTTP/1.1\r\nHost: a\r\n";
    for (auto const& [why, bytes] : std::vector<std::pair<char const*, std::string>> {
             { "a length and chunks", line + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
             { "chunks and a length", line + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" },
             { "two lengths", line + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" },
             { "the same length twice", line + "Content-Length: 1\r\nContent-Length: 1\r\n\r\na" },
             { "a list of lengths", line + "Content-Length: 1, 1\r\n\r\na" },
             { "a signed length", line + "Content-Length: +1\r\n\r\na" },
             { "two encodings", line + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
             { "another encoding", line + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" },
             { "an unknown encoding", line + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" },
             { "an encoding in HTTP/1.0", "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
             { "a space before the colon", line + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" },
             { "a continued line", line + "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n" },
             { "a bare line feed", "GET /a HTTP/1.1\nHost: a\n\n" },
             { "a bare line feed in a field", line + "X: a\nTransfer-Encoding: chunked\r\n\r\n" },
             { "a bare carriage return", line + "X: a\rb\r\n\r\n" },
             { "no host", "GET /a HTTP/1.1\r\n\r\n" },
             { "two hosts", line + "Host: b\r\n\r\n" },
             { "a path upwards", "GET /a/../b HTTP/1.1\r\nHost: a\r\n\r\n" },
             { "an encoded path upwards", "GET /a/%2e%2e/b HTTP/1.1\r\nHost: a\r\n\r\n" },
             { "an encoded slash", "GET /a%2Fb HTTP/1.1\r\nHost: a\r\n\r\n" },
             { "a repeated parameter", "GET /a?x=1&x=2 HTTP/1.1\r\nHost: a\r\n\r\n" },
             { "another server's URL", "GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n" },
             { "a tunnel", "CONNECT b:1 HTTP/1.1\r\nHost: b:1\r\n\r\n" },
             { "a bad chunk", line + "Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n" },
             { "a chunk longer than it says", line + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n" },
             { "a NUL", line + std::string("X: a\0b\r\n\r\n", 10) },
             { "something else", "\x16\x03\x01\x02\r\n\r\n" },
         })
        EXPECT_EQ(status_of(bytes), 400) << why;
    EXPECT_EQ(status_of("GET /a HTTP/2.0\r\nHost: a\r\n\r\n"), 505);
}

TEST_F(Http, keeps_its_limits)
{
    serve({ .header_bytes_max = 1000, .body_bytes_max = 10 });
    std::string const line = "POST /a HTTP/1.1\r\nHost: a\r\n";
    EXPECT_EQ(status_of(line + "X: " + std::string(1000, 'x') + "\r\n\r\n"), 431);
    EXPECT_EQ(status_of(line + "X: " + std::string(50'000, 'x')), 431);
    EXPECT_EQ(status_of(line + "Content-Length: 11\r\n\r\n"), 413);
    EXPECT_EQ(status_of(line + "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\nabcdef\r\n0\r\n\r\n"), 413);
    EXPECT_EQ(status_of(line + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(50'000, 'x')), 400);
    EXPECT_EQ(status_of(line + "Content-Length: 10\r\nConnection: close\r\n\r\n0123456789"), 200);
}

TEST_F(Http, waits_for_nobody_longer_than_its_deadlines)
{
    serve({ .header_deadline = 20ms, .body_deadline = 20ms, .idle_deadline = 20ms });
    EXPECT_EQ(status_of("GET /a HTTP/1.1\r\nHos"), 408);
    EXPECT_EQ(status_of("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"), 408);
    EXPECT_EQ(say_and_wait(""), "") << "an idle connection is closed without a word";
    EXPECT_EQ(server_->connection_count(), 0U);
}

TEST_F(Http, answers_a_handlers_mistake_with_500)
{
    serve();
    auto const thrown = say("GET /throw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(thrown.starts_with("HTTP/1.1 500 ")) << thrown;
    EXPECT_EQ(thrown.find("a bug"), std::string::npos) << "what went wrong is not for the caller";
    auto const split = say("GET /split HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    EXPECT_TRUE(split.starts_with("HTTP/1.1 500 ")) << split;
    EXPECT_EQ(split.find("set-cookie"), std::string::npos);
}

TEST_F(Http, client_and_server_understand_each_other)
{
    serve();
    HttpClient client(address_);
    auto const response
        = loop_
              .run(client.send(
                  { .method = "POST", .path = "/a b/ë", .query = { { "q", "1&2" } }, .headers = {}, .body = "body", .peer = {} }))
              .value();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "POST /a b/ë q=1%262 body");
    EXPECT_TRUE(response.headers.get("X-Peer")->starts_with("127.0.0.1:"));

    // The same connection serves again.
    auto const again = loop_.run(client.send({ .path = "/2" })).value();
    EXPECT_EQ(again.headers.get("x-peer"), response.headers.get("x-peer"));
    auto const head = loop_.run(client.send({ .method = "HEAD", .path = "/2" })).value();
    EXPECT_EQ(head.body, "");
    EXPECT_EQ(head.headers.get("x-peer"), response.headers.get("x-peer"));
    EXPECT_EQ(loop_.run(client.send({ .path = "/empty" })).value().status, 204);

    client.forget_connections();
    EXPECT_NE(loop_.run(client.send({ .path = "/2" })).value().headers.get("x-peer"), response.headers.get("x-peer"));
}

TEST_F(Http, client_will_not_send_what_would_be_another_request)
{
    serve();
    HttpClient client(address_);
    EXPECT_EQ(loop_.run(client.send({ .headers = { { "x", "a\r\nb: c" } } })).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(loop_.run(client.send({ .method = "GET /x HTTP/1.1\r\n" })).error().code, ErrorCode::invalid_argument);
    EXPECT_EQ(loop_.run(client.send({ .path = "no/path" })).error().code, ErrorCode::invalid_argument);
}

TEST_F(Http, tells_a_handler_that_its_client_has_left)
{
    Watched watched;
    auto listener = listen_tcp(loop_, { "127.0.0.1", 0 }).value();
    address_ = listener->address();
    server_ = std::make_unique<HttpServer>(loop_, [&watched](Request request) { return watch(std::move(request), watched); });
    server_->serve(std::move(listener));
    loop_.run(leave(address_, watched));
    EXPECT_TRUE(watched.has_left);
}

TEST_F(Http, shutdown_lets_a_request_end_and_closes_the_rest)
{
    serve();
    HttpClient idle(address_);
    ASSERT_TRUE(loop_.run(idle.send({})).is_ok());
    struct Outcome {
        std::optional<Result<Response>> response;
    } outcome;
    HttpClient busy(address_);
    auto const request = [](HttpClient& client, Outcome& into) -> Task<> {
        auto response = co_await client.send({ .path = "/slow" });
        into.response.emplace(std::move(response));
    };
    loop_.spawn(request(busy, outcome));
    loop_.run(delay(10ms));
    EXPECT_EQ(server_->connection_count(), 2U);
    loop_.run(server_->shutdown(5s));
    EXPECT_EQ(server_->connection_count(), 0U);
    loop_.run(delay(1ms));
    ASSERT_TRUE(outcome.response);
    EXPECT_EQ(outcome.response->value().status, 200);
    EXPECT_EQ(outcome.response->value().headers.get("connection"), "close");
    EXPECT_EQ(loop_.run(idle.send({})).error().code, ErrorCode::unavailable);
}

// A server that says the same to everybody.
Task<> recite(Listener& listener, std::string text)
{
    for (;;) {
        auto accepted = co_await listener.accept();
        if (accepted.is_error())
            co_return;
        auto& stream = *accepted.value();
        Bytes buffer(4096);
        auto const read = co_await stream.read_some(buffer);
        auto const written = co_await stream.write(as_bytes(text));
        EXPECT_TRUE(read.is_ok() && written.is_ok());
    }
}

Result<Response> ask_reciter(std::string text, HttpClientOptions options = {})
{
    EventLoop loop;
    auto const listener = listen_tcp(loop, { "127.0.0.1", 0 }).value();
    loop.spawn(recite(*listener, std::move(text)));
    HttpClient client(listener->address(), std::move(options));
    return loop.run(client.send({}));
}

TEST(HttpClient, reads_every_way_a_response_may_end)
{
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").value().body, "hi");
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\n\r\nuntil the end").value().body, "until the end");
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n").value().body, "hi");
    EXPECT_EQ(ask_reciter("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n").value().status, 201);
}

TEST(HttpClient, tells_a_broken_server_from_an_absent_one)
{
    EXPECT_EQ(ask_reciter("").error().code, ErrorCode::unavailable);
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\nContent-Le").error().code, ErrorCode::unavailable);
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nhi").error().code, ErrorCode::unavailable);
    EXPECT_EQ(ask_reciter("SSH-2.0-OpenSSH\r\n\r\n").error().code, ErrorCode::corruption);
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab").error().code, ErrorCode::corruption);
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", { .tls = nullptr, .body_bytes_max = 8 }).error().code,
        ErrorCode::resource_exhausted);
    EXPECT_EQ(ask_reciter("HTTP/1.1 200 OK\r\nA: " + std::string(60'000, 'x')).error().code, ErrorCode::resource_exhausted);
}

TEST_F(Http, client_gives_up_at_its_deadline)
{
    serve();
    HttpClient client(address_);
    EXPECT_EQ(loop_.run(client.send({ .path = "/slow" }, 5ms)).error().code, ErrorCode::unavailable);
}

} // namespace
} // namespace writ::net
