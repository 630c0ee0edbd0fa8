// SPDX-License-Identifier: Apache-2.0
#include "net/http_request.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace writ::net {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

namespace {

// SPEC: RFC 9112 §2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore at least one empty line".
constexpr std::size_t leading_lines_max = 4;
// LIMIT: bytes of a chunk's head, or of trailers, that Beast has to see at once.
constexpr std::size_t chunk_head_bytes_max = 8U << 10U;

Error refused(std::string message) { return invalid_argument(std::move(message)); }

Refusal late() { return { 408, "the request took too long" }; }

bool is_equal_ignoring_case(std::string_view a, std::string_view b) { return boost::beast::iequals(a, b); }

Headers headers_of(http::fields const& fields)
{
    Headers headers;
    for (auto const& field : fields)
        headers.add(std::string(field.name_string()), std::string(field.value()));
    return headers;
}

// SECURITY: RFC 9112 §6.3 and §11.2: a length that a proxy in front may read differently lets one request hide in another.
Result<> check_framing(Headers const& headers, unsigned version)
{
    auto const lengths = headers.count("content-length");
    auto const encodings = headers.count("transfer-encoding");
    if (lengths + encodings > 1)
        return refused("the request states its length more than once");
    if (encodings == 1 && (version != 11 || !is_equal_ignoring_case(*headers.get("transfer-encoding"), "chunked")))
        return refused("the only transfer encoding is `chunked`, in HTTP/1.1");
    if (lengths == 1) {
        auto const text = *headers.get("content-length");
        if (text.empty() || !std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; }))
            return refused("the content length is not a number");
    }
    auto const hosts = headers.count("host");
    if (hosts > 1 || (hosts == 0 && version == 11))
        return refused("the request needs one host field"); // SPEC: RFC 9112 §3.2
    return {};
}

Refusal refusal_of(boost::beast::error_code const& error)
{
    if (error == http::error::body_limit)
        return { 413, "the body is too long" };
    if (error == http::error::header_limit)
        return { 431, "the header is too long" };
    if (error == http::error::bad_version)
        return { 505, "only HTTP/1.1 is spoken here" };
    return { 400, "not HTTP: " + error.message() };
}

class RequestReader {
public:
    RequestReader(Stream& stream, ReadBuffer& buffer, HttpServerLimits const& limits)
        : stream_(stream)
        , buffer_(buffer)
        , limits_(limits)
    {
        parser_.eager(true);
        parser_.body_limit(boost::none); // until it is known whether the body is read here
        parser_.header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    }

    Task<Incoming> read(RequestHooks hooks)
    {
        auto const has_begun = co_await wait_for_first_byte();
        if (!has_begun)
            co_return Incoming {};
        hooks.on_begin();
        stream_.set_deadline(limits_.header_deadline);
        auto refusal = co_await read_head();
        if (!refusal)
            refusal = accept_head();
        if (!refusal && hooks.wants_head_alone && hooks.wants_head_alone(incoming_.request))
            co_return Incoming { .request = std::move(incoming_), .refusal = std::nullopt, .is_head_alone = true };
        if (!refusal)
            refusal = limit_body();
        if (!refusal) {
            stream_.set_deadline(limits_.body_deadline);
            refusal = co_await read_body();
        }
        if (has_left_)
            co_return Incoming {};
        if (refusal)
            co_return Incoming { .request = std::nullopt, .refusal = std::move(refusal) };
        incoming_.request.body = std::move(parser_.get().body());
        co_return Incoming { .request = std::move(incoming_), .refusal = std::nullopt };
    }

private:
    Task<bool> wait_for_first_byte()
    {
        if (!buffer_.is_empty())
            co_return true;
        stream_.set_deadline(limits_.idle_deadline);
        auto const size = co_await buffer_.fill(stream_);
        co_return size.is_ok() && size.value() > 0;
    }

    // More bytes, or why there are none.
    Task<std::optional<Refusal>> fill()
    {
        auto const size = co_await buffer_.fill(stream_);
        if (size.is_error() && stream_.has_expired())
            co_return late();
        has_left_ = size.is_error() || size.value() == 0;
        co_return has_left_ ? std::optional(Refusal { 400, "cut off" }) : std::nullopt;
    }

    void skip_leading_lines()
    {
        for (; leading_lines_ < leading_lines_max && buffer_.view().starts_with("\r\n"); ++leading_lines_)
            buffer_.consume(2);
    }

    Task<std::optional<Refusal>> read_head()
    {
        for (;;) {
            skip_leading_lines();
            auto const head = find_head(buffer_.view());
            if (head.is_error())
                co_return Refusal { 400, head.error().message };
            head_size_ = head.value().value_or(0);
            if (std::max(head_size_, head.value() ? 0 : buffer_.view().size()) > limits_.header_bytes_max)
                co_return Refusal { 431, "the header is too long" };
            if (head.value())
                co_return std::nullopt;
            auto refusal = co_await fill();
            if (refusal)
                co_return refusal;
        }
    }

    std::optional<Refusal> accept_head()
    {
        boost::beast::error_code error;
        buffer_.consume(parser_.put(boost::asio::buffer(buffer_.view().substr(0, head_size_)), error));
        if (error && error != http::error::need_more)
            return refusal_of(error);
        if (!parser_.is_header_done())
            return Refusal { 400, "not HTTP" };
        auto const& head = parser_.get();
        if (head.version() != 10 && head.version() != 11)
            return refusal_of(http::error::bad_version);
        incoming_.request.method = std::string(head.method_string());
        incoming_.request.headers = headers_of(head); // before the body: a chunked one may end in fields, which are not to be trusted
        incoming_.keep_alive = parser_.keep_alive() && head.version() == 11;
        if (auto const framing = check_framing(incoming_.request.headers, head.version()); framing.is_error())
            return Refusal { 400, framing.error().message };
        auto target = parse_request_target(head.target());
        if (target.is_error())
            return Refusal { 400, target.error().message };
        incoming_.request.path = std::move(target.value().path);
        incoming_.request.query = std::move(target.value().query);
        return std::nullopt;
    }

    std::optional<Refusal> limit_body()
    {
        parser_.body_limit(limits_.body_bytes_max); // Beast looks at it for chunks alone from here on
        if (parser_.content_length().value_or(0) > limits_.body_bytes_max)
            return refusal_of(http::error::body_limit);
        return std::nullopt;
    }

    // SPEC: RFC 9110 §10.1.1.
    Task<std::optional<Refusal>> answer_expectation()
    {
        auto const expectation = incoming_.request.headers.get("expect");
        if (!expectation)
            co_return std::nullopt;
        if (!is_equal_ignoring_case(*expectation, "100-continue"))
            co_return Refusal { 417, "no such expectation" };
        if (parser_.is_done() || !buffer_.is_empty())
            co_return std::nullopt;
        auto const written = co_await stream_.write(as_bytes("HTTP/1.1 100 Continue\r\n\r\n"));
        has_left_ = written.is_error();
        co_return has_left_ ? std::optional(Refusal { 400, "cut off" }) : std::nullopt;
    }

    Task<std::optional<Refusal>> read_body()
    {
        auto refusal = co_await answer_expectation();
        while (!refusal && !parser_.is_done()) {
            auto const progress = put_body();
            if (progress.refusal || parser_.is_done())
                co_return progress.refusal;
            if (progress.needs_more)
                refusal = co_await fill();
        }
        co_return refusal;
    }

    struct Progress {
        bool needs_more = false;
        std::optional<Refusal> refusal;
    };

    Progress put_body()
    {
        if (buffer_.is_empty())
            return { .needs_more = true, .refusal = std::nullopt };
        boost::beast::error_code error;
        auto const used = parser_.put(boost::asio::buffer(buffer_.view()), error);
        buffer_.consume(used);
        if (error && error != http::error::need_more)
            return { .needs_more = false, .refusal = refusal_of(error) };
        if (used == 0 && buffer_.view().size() > chunk_head_bytes_max)
            return { .needs_more = false, .refusal = Refusal { 400, "the head of a chunk is too long" } };
        return { .needs_more = used == 0 || buffer_.is_empty(), .refusal = std::nullopt };
    }

    Stream& stream_;
    ReadBuffer& buffer_;
    HttpServerLimits const& limits_;
    Parser parser_;
    IncomingRequest incoming_;
    std::size_t head_size_ = 0;
    std::size_t leading_lines_ = 0;
    bool has_left_ = false;
};

} // namespace

Task<Incoming> read_request(Stream& stream, ReadBuffer& buffer, HttpServerLimits const& limits, RequestHooks hooks)
{
    RequestReader reader(stream, buffer, limits);
    co_return co_await reader.read(std::move(hooks));
}

} // namespace writ::net
