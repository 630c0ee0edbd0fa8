// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include "net/http_wire.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <deque>

namespace writ::net {

namespace http = boost::beast::http;
using Parser = http::response_parser<http::string_body>;

namespace {

// LIMIT: interim responses (1xx) before the response proper.
constexpr int interim_responses_max = 8;

std::string host_of(Address const& server, bool is_tls)
{
    auto const* const tcp = std::get_if<TcpAddress>(&server);
    if (!tcp)
        return "localhost";
    auto const text = to_string(server);
    return tcp->port == (is_tls ? 443 : 80) ? text.substr(0, text.rfind(':')) : text;
}

bool expects_body(std::string_view method) { return method == "POST" || method == "PUT" || method == "PATCH"; }

Result<std::string> to_wire(Request const& request, std::string const& host)
{
    if (!is_token(request.method) || !request.path.starts_with('/'))
        return invalid_argument("a request needs a method and a path");
    TRY(check_fields(request.headers));
    auto text = request.method + " " + to_request_target(request.path, request.query) + " HTTP/1.1\r\n";
    if (!request.headers.get("host"))
        text += "host: " + host + "\r\n";
    append_fields(text, request.headers);
    if (!request.body.empty() || expects_body(request.method))
        text += "content-length: " + std::to_string(request.body.size()) + "\r\n";
    return text + "\r\n" + request.body;
}

Error error_of(boost::beast::error_code const& error)
{
    if (error == http::error::body_limit || error == http::error::header_limit)
        return resource_exhausted("the response is too long");
    if (error == http::error::partial_message)
        return unavailable("the server cut the response off");
    return corruption("the response is not HTTP: " + error.message());
}

struct Received {
    Response response;
    bool keep_alive = false;
};

// Reads one response to one request.
class ResponseReader {
public:
    ResponseReader(Stream& stream, HttpClientOptions const& options, bool is_head_request)
        : stream_(stream)
        , options_(options)
        , is_head_request_(is_head_request)
    {
    }

    Task<Result<Received>> read()
    {
        for (int interim = 0; interim <= interim_responses_max; ++interim) {
            begin_message();
            auto finished = co_await read_message();
            CO_TRY(finished);
            // SPEC: RFC 9110 §15.2: a client reads any number of interim responses; 101 is none that anybody asked for.
            if (parser_->get().result_int() / 100 != 1)
                co_return received();
            if (parser_->get().result_int() == 101)
                co_return corruption("the server switched protocols");
        }
        co_return corruption("the server sends no final response");
    }

private:
    void begin_message()
    {
        parser_.emplace();
        parser_->eager(true);
        parser_->skip(is_head_request_);
        parser_->header_limit(static_cast<std::uint32_t>(options_.header_bytes_max));
        parser_->body_limit(options_.body_bytes_max);
    }

    Task<Result<>> read_message()
    {
        while (!parser_->is_done()) {
            boost::beast::error_code error;
            std::size_t used = 0;
            if (!buffer_.is_empty())
                used = parser_->put(boost::asio::buffer(buffer_.view()), error);
            buffer_.consume(used);
            if (error && error != http::error::need_more)
                co_return error_of(error);
            if (used > 0 && !buffer_.is_empty())
                continue;
            if (parser_->is_done())
                break;
            if (buffer_.view().size() > options_.header_bytes_max)
                co_return resource_exhausted("the response is too long");
            auto filled = co_await fill();
            CO_TRY(filled);
        }
        co_return Result<>();
    }

    Task<Result<>> fill()
    {
        auto read = co_await buffer_.fill(stream_);
        auto const size = CO_TRY(read);
        if (size > 0)
            co_return Result<>();
        boost::beast::error_code error;
        if (!parser_->got_some())
            co_return unavailable("the server closed the connection");
        parser_->put_eof(error); // the end of a body that has no length
        if (error)
            co_return error_of(error);
        co_return Result<>();
    }

    Received received()
    {
        auto message = parser_->release();
        Received result;
        result.keep_alive = message.keep_alive() && !message.need_eof() && buffer_.is_empty();
        result.response.status = static_cast<int>(message.result_int());
        for (auto const& field : message)
            result.response.headers.add(std::string(field.name_string()), std::string(field.value()));
        result.response.body = std::move(message.body());
        return result;
    }

    Stream& stream_;
    HttpClientOptions const& options_;
    bool is_head_request_;
    ReadBuffer buffer_;
    std::optional<Parser> parser_;
};

} // namespace

struct HttpClient::State {
    Address server;
    HttpClientOptions options;
    std::deque<std::unique_ptr<Stream>> idle;
    std::uint64_t generation = 0; // connections of an earlier one are not kept
    bool is_closed = false;

    // A kept connection that is still good, the latest first, or nothing.
    std::unique_ptr<Stream> take_idle()
    {
        while (!idle.empty()) {
            auto stream = std::move(idle.back());
            idle.pop_back();
            if (!stream->is_stale())
                return stream;
        }
        return nullptr;
    }

    void keep(std::unique_ptr<Stream> stream, std::uint64_t made_in)
    {
        if (is_closed || made_in != generation || options.idle_connections_max == 0)
            return;
        if (idle.size() == options.idle_connections_max)
            idle.pop_front();
        stream->clear_deadline();
        idle.push_back(std::move(stream));
    }

    static Task<Result<std::unique_ptr<Stream>>> connect_stream(std::shared_ptr<State> state)
    {
        auto connected = co_await connect(state->server, state->options.connect_deadline);
        auto stream = CO_TRY(connected);
        if (!state->options.tls)
            co_return stream;
        stream->set_deadline(state->options.connect_deadline);
        auto const* const tcp = std::get_if<TcpAddress>(&state->server);
        auto secured = co_await state->options.tls->connect(std::move(stream), tcp ? tcp->host : "");
        co_return std::move(secured).in("connect to `" + to_string(state->server) + "`");
    }

    static Task<Result<Response>> send(std::shared_ptr<State> state, Request request, Duration response_deadline)
    {
        auto text = to_wire(request, host_of(state->server, state->options.tls != nullptr));
        RequestBody const bytes(CO_TRY(text));
        auto const generation = state->generation;
        auto stream = state->take_idle();
        if (!stream) {
            auto connected = co_await connect_stream(state);
            stream = CO_TRY(connected);
        }
        stream->set_deadline(response_deadline);
        auto written = co_await stream->write(as_bytes(bytes));
        // A server that refuses a long request answers before it has read it all: the answer tells more than the broken pipe.
        ResponseReader reader(*stream, state->options, request.method == "HEAD");
        auto read = co_await reader.read();
        if (written.is_error() && read.is_error())
            co_return std::move(written).error();
        auto received = CO_TRY(read);
        if (received.keep_alive && written.is_ok())
            state->keep(std::move(stream), generation);
        co_return std::move(received.response);
    }
};

HttpClient::HttpClient(Address server, HttpClientOptions options)
    : state_(std::make_shared<State>(State { .server = std::move(server), .options = std::move(options), .idle = {} }))
{
}

HttpClient::~HttpClient()
{
    state_->is_closed = true;
    state_->idle.clear();
}

Task<Result<Response>> HttpClient::send(Request request)
{
    auto const response_deadline = state_->options.response_deadline;
    return State::send(state_, std::move(request), response_deadline);
}

Task<Result<Response>> HttpClient::send(Request request, Duration response_deadline)
{
    return State::send(state_, std::move(request), response_deadline);
}

void HttpClient::forget_connections()
{
    ++state_->generation;
    state_->idle.clear();
}

} // namespace writ::net
