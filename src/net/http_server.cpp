// SPDX-License-Identifier: Apache-2.0
#include "net/http_server.h"

#include "base/json.h"
#include "base/logger.h"
#include "net/http_request.h"
#include "net/notification.h"

#include <exception>
#include <set>
#include <vector>

namespace writ::net {

namespace {

// How long, and for how many bytes, to go on reading what a refused client still sends: closing at once would destroy the answer on
// its way (RFC 9112 §9.6).
constexpr Duration linger_deadline = std::chrono::seconds(2);
constexpr std::size_t linger_bytes_max = 1U << 20U;

struct Connection {
    std::unique_ptr<Stream> stream; // null during the TLS handshake
    bool is_idle = true;            // between requests
};

Response refusal_response(int status, std::string const& detail)
{
    JsonObject problem;
    problem["type"] = "about:blank";
    problem["title"] = reason_phrase(status);
    problem["status"] = status;
    problem["detail"] = detail;
    return {
        .status = status, .headers = { { "content-type", "application/problem+json" } }, .body = to_text(JsonValue(std::move(problem)))
    };
}

bool has_body(int status) { return status != 204 && status != 304; }

std::string head_of(Response const& response, bool keep_alive)
{
    std::string text = "HTTP/1.1 " + std::to_string(response.status) + " ";
    text += reason_phrase(response.status);
    text += "\r\n";
    append_fields(text, response.headers);
    if (has_body(response.status))
        text += "content-length: " + std::to_string(response.body.size()) + "\r\n";
    if (!keep_alive)
        text += "connection: close\r\n";
    text += "\r\n";
    return text;
}

// A response as it may be sent: a handler's mistake becomes a 500, not a message of two meanings.
Response checked(Response response)
{
    auto const fields = check_fields(response.headers);
    if (fields.is_ok() && response.status >= 200 && response.status <= 999)
        return response;
    log_error("a handler's response cannot be sent",
        { { "status", response.status }, { "why", fields.is_ok() ? "status" : fields.error().message } });
    return refusal_response(500, "the response cannot be sent");
}

Task<bool> write_response(Stream& stream, Response const& response, bool is_head_request, bool keep_alive)
{
    auto text = head_of(response, keep_alive);
    if (!is_head_request && has_body(response.status))
        text += response.body;
    auto const written = co_await stream.write(as_bytes(text));
    co_return written.is_ok();
}

Task<> linger(Stream& stream)
{
    stream.set_deadline(linger_deadline);
    co_await stream.finish();
    Bytes ignored(16U << 10U);
    for (std::size_t total = 0; total < linger_bytes_max;) {
        auto const size = co_await stream.read_some(ignored);
        if (size.is_error() || size.value() == 0)
            break;
        total += size.value();
    }
}

} // namespace

struct HttpServer::State : std::enable_shared_from_this<HttpServer::State> {
    State(EventLoop& event_loop, HttpHandler request_handler, HttpServerLimits server_limits, HttpTakeover server_takeover)
        : loop(event_loop)
        , handler(std::move(request_handler))
        , limits(server_limits)
        , takeover(std::move(server_takeover))
    {
    }

    void serve(std::shared_ptr<Listener> const& listener, std::shared_ptr<TlsServerContext> tls)
    {
        listeners.push_back(listener);
        loop.spawn(accept_all(shared_from_this(), listener, std::move(tls)));
    }

    static Task<> accept_all(std::shared_ptr<State> state, std::shared_ptr<Listener> listener, std::shared_ptr<TlsServerContext> tls)
    {
        for (;;) {
            auto accepted = co_await listener->accept();
            if (accepted.is_error() || state->is_stopping)
                co_return;
            state->loop.spawn(serve_stream(state, std::move(accepted).value(), tls));
        }
    }

    static Task<> serve_stream(std::shared_ptr<State> state, std::unique_ptr<Stream> stream, std::shared_ptr<TlsServerContext> tls)
    {
        Connection connection;
        Registration const registration(*state, connection);
        stream->set_deadline(state->limits.handshake_deadline);
        if (tls) {
            auto secured = co_await tls->accept(std::move(stream));
            if (secured.is_ok())
                connection.stream = std::move(secured).value();
            else
                log_debug("refused a TLS handshake", { { "why", secured.error().message } });
        } else {
            connection.stream = std::move(stream);
        }
        if (connection.stream && !state->is_stopping)
            co_await state->serve_connection(connection);
        connection.stream.reset();
    }

    // A connection is known for as long as its task lives, also if that is cut short.
    struct Registration {
        Registration(State& of, Connection& one)
            : state(of.shared_from_this())
            , connection(one)
        {
            state->connections.insert(&connection);
        }
        ~Registration()
        {
            state->connections.erase(&connection);
            state->changed.notify();
        }
        Registration(Registration const&) = delete;
        Registration& operator=(Registration const&) = delete;
        std::shared_ptr<State> state;
        Connection& connection;
    };

    Task<> serve_connection(Connection& connection)
    {
        auto& stream = *connection.stream;
        ReadBuffer buffer;
        for (bool keep_alive = true; keep_alive && !is_stopping;) {
            connection.is_idle = true;
            auto incoming = co_await read_request(stream, buffer, limits, { [&connection] { connection.is_idle = false; }, takeover.wants });
            if (incoming.refusal)
                co_return co_await refuse(stream, *incoming.refusal);
            if (!incoming.request)
                co_return;
            if (incoming.is_head_alone)
                co_return co_await hand_over(stream, std::move(incoming.request->request), std::string(buffer.view()));
            keep_alive = co_await answer(stream, std::move(*incoming.request));
        }
    }

    // Whether the connection may be used again.
    Task<bool> answer(Stream& stream, IncomingRequest incoming)
    {
        auto const is_head_request = incoming.request.method == "HEAD";
        incoming.request.peer = stream.peer();
        incoming.request.has_left = [&stream] { return stream.has_left(); };
        stream.clear_deadline();
        auto const response = co_await respond(std::move(incoming.request));
        auto const keep_alive = incoming.keep_alive && !is_stopping;
        stream.set_deadline(limits.write_deadline);
        auto const written = co_await write_response(stream, response, is_head_request, keep_alive);
        if (written && !keep_alive)
            co_await linger(stream);
        co_return written&& keep_alive;
    }

    Task<> hand_over(Stream& stream, Request head, std::string read_ahead)
    {
        auto const is_head_request = head.method == "HEAD";
        head.peer = stream.peer();
        head.has_left = [&stream] { return stream.has_left(); };
        stream.clear_deadline();
        auto const response = co_await takeover.serve(std::move(head), std::move(read_ahead), stream);
        stream.set_deadline(limits.write_deadline);
        if (!response || co_await write_response(stream, checked(*response), is_head_request, false))
            co_await linger(stream);
    }

    Task<Response> respond(Request request)
    {
        std::string what;
        try {
            auto response = co_await handler(std::move(request));
            co_return checked(std::move(response));
        } catch (std::exception const& error) {
            what = error.what();
        } catch (...) {
            what = "not a std::exception";
        }
        log_error("a request ended with an exception", { { "what", what } });
        co_return refusal_response(500, "the request could not be answered");
    }

    Task<> refuse(Stream& stream, Refusal refusal)
    {
        log_debug("refused a request", { { "status", refusal.status }, { "why", refusal.detail }, { "peer", describe(stream.peer()) } });
        stream.set_deadline(limits.write_deadline);
        auto const written = co_await write_response(stream, refusal_response(refusal.status, refusal.detail), false, false);
        if (written)
            co_await linger(stream);
    }

    void stop_listening()
    {
        is_stopping = true;
        for (auto const& listener : listeners)
            listener->close();
        listeners.clear();
    }

    void close_connections(bool idle_only)
    {
        for (auto* const connection : connections)
            if (connection->stream && (connection->is_idle || !idle_only))
                connection->stream->close();
    }

    static Task<> shutdown(std::shared_ptr<State> state, Duration grace)
    {
        state->stop_listening();
        state->close_connections(true);
        auto const due = SystemClock().monotonic() + grace;
        for (;;) {
            auto const seen = state->changed.version();
            auto const left = due - SystemClock().monotonic();
            if (state->connections.empty() || left <= Duration::zero())
                break;
            co_await state->changed.wait_past(seen, left);
        }
        state->close_connections(false);
    }

    EventLoop& loop;
    HttpHandler handler;
    HttpServerLimits limits;
    HttpTakeover takeover;
    std::vector<std::shared_ptr<Listener>> listeners;
    std::set<Connection*> connections;
    Notification changed;
    bool is_stopping = false;
};

HttpServer::HttpServer(EventLoop& loop, HttpHandler handler, HttpServerLimits limits, HttpTakeover takeover)
    : state_(std::make_shared<State>(loop, std::move(handler), limits, std::move(takeover)))
{
}

HttpServer::~HttpServer()
{
    state_->stop_listening();
    state_->close_connections(false);
}

void HttpServer::serve(std::unique_ptr<Listener> listener) { state_->serve(std::move(listener), nullptr); }
void HttpServer::serve_tls(std::unique_ptr<Listener> listener, std::shared_ptr<TlsServerContext> tls)
{
    ASSERT(tls);
    state_->serve(std::move(listener), std::move(tls));
}

Task<> HttpServer::shutdown(Duration grace) { return State::shutdown(state_, grace); }
std::size_t HttpServer::connection_count() const { return state_->connections.size(); }

} // namespace writ::net
