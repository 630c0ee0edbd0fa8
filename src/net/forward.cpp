// SPDX-License-Identifier: Apache-2.0
#include "net/forward.h"

#include "net/http_wire.h"
#include "net/notification.h"

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <charconv>
#include <optional>

namespace writ::net {

namespace {

constexpr std::size_t piece_bytes = 16U << 10U;
// LIMIT: interim answers (1xx) before the answer proper.
constexpr int interim_answers_max = 8;

bool is_equal(std::string_view a, std::string_view b) { return boost::beast::iequals(a, b); }

bool is_between_neighbours(std::string_view name)
{
    constexpr std::string_view names[] = { "connection", "keep-alive", "proxy-connection", "proxy-authorization", "proxy-authenticate", "te", "trailer", "upgrade" };
    return std::ranges::any_of(names, [name](auto known) { return is_equal(name, known); });
}

// Whether `Connection` names it.
bool is_named(std::string_view options, std::string_view name)
{
    while (!options.empty()) {
        auto const end = std::min(options.find(','), options.size());
        auto option = options.substr(0, end);
        option.remove_prefix(std::min(option.find_first_not_of(" \t"), option.size()));
        option = option.substr(0, option.find_last_not_of(" \t") + 1);
        // Not what tells the length, which would make one message of two.
        if (is_equal(option, name) && !is_equal(name, "content-length") && !is_equal(name, "transfer-encoding"))
            return true;
        options.remove_prefix(std::min(end + 1, options.size()));
    }
    return false;
}

Result<std::string> head_text(ForwardedRequest const& request)
{
    auto const& head = request.head;
    if (!is_token(head.method) || !is_field_value(request.host))
        return invalid_argument("the request's first line cannot be sent");
    TRY(check_fields(head.headers));
    auto text = head.method + " " + to_request_target(head.path, head.query) + " HTTP/1.1\r\nhost: " + request.host + "\r\n";
    auto const options = head.headers.get("connection").value_or("");
    for (auto const& [name, value] : head.headers) {
        if (!is_between_neighbours(name) && !is_named(options, name) && !is_equal(name, "host"))
            text += name + ": " + value + "\r\n";
    }
    return text + "connection: close\r\n\r\n";
}

// Absent: the body ends by itself (chunked).
std::optional<std::uint64_t> body_length(Headers const& headers)
{
    if (headers.count("transfer-encoding") != 0)
        return std::nullopt;
    auto const text = headers.get("content-length").value_or("0");
    std::uint64_t length = 0;
    std::from_chars(text.data(), text.data() + text.size(), length); // the server's reader has checked it
    return length;
}

// The answer's head as the client gets it: what is between neighbours is ours to say. `head` ends with its empty line.
std::string answer_head(std::string_view head)
{
    std::string text;
    while (head.size() > 2) {
        auto const end = head.find('\n') + 1;
        auto const line = head.substr(0, end);
        if (!is_between_neighbours(line.substr(0, line.find(':'))))
            text += line;
        head.remove_prefix(end);
    }
    return text + "connection: close\r\n\r\n";
}

// 0: no status line.
int status_of(std::string_view head)
{
    constexpr std::string_view version = "HTTP/1.";
    int status = 0;
    if (head.size() < 12 || !head.starts_with(version) || head[8] != ' ')
        return 0;
    std::from_chars(head.data() + 9, head.data() + 12, status);
    return status >= 100 && status <= 599 ? status : 0;
}

// Both directions of one exchange. The request's body goes on a task of its own, which ends before the exchange does.
class Exchange : public std::enable_shared_from_this<Exchange> {
public:
    Exchange(ForwardedRequest request, Stream& client, std::unique_ptr<Stream> server, ForwardLimits limits)
        : request_(std::move(request))
        , client_(client)
        , server_(std::move(server))
        , limits_(limits)
        , left_(body_length(request_.head.headers))
    {
    }

    static Task<Result<>> run(EventLoop& loop, std::shared_ptr<Exchange> exchange)
    {
        auto text = head_text(exchange->request_);
        auto const head = CO_TRY(text);
        exchange->move_deadlines();
        auto written = co_await exchange->server_->write(as_bytes(head));
        CO_TRY(written);
        loop.spawn(send_body(exchange));
        auto const answered = co_await exchange->bring_answer();
        co_await exchange->end();
        if (answered.is_ok() || !exchange->has_begun_)
            co_return answered;
        exchange->client_.close(); // an answer that was cut off is not to look like a whole one
        co_return Result<>();
    }

private:
    void move_deadlines()
    {
        client_.set_deadline(limits_.idle_deadline);
        server_->set_deadline(limits_.idle_deadline);
    }

    static Task<> send_body(std::shared_ptr<Exchange> exchange)
    {
        auto const has_left = co_await exchange->bring_body();
        if (has_left) // it wants no answer
            exchange->server_->close();
        exchange->is_sent_ = true;
        exchange->sent_.notify();
    }

    // Whether the client has left. A server that takes no more of the body may have answered all the same.
    Task<bool> bring_body()
    {
        Bytes piece(piece_bytes);
        bool is_taken = co_await hand_on(as_bytes(request_.read_ahead));
        while (is_taken && !is_over_) {
            auto const size = co_await client_.read_some(piece);
            if (size.is_error() || size.value() == 0)
                co_return !is_over_;
            is_taken = co_await hand_on(BytesView(piece).first(size.value()));
            if (!is_over_)
                move_deadlines();
        }
        co_return false;
    }

    // What is behind the body is nobody's: the client was told that its connection ends.
    Task<bool> hand_on(BytesView bytes)
    {
        if (left_) {
            bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), *left_));
            *left_ -= bytes.size();
        }
        if (bytes.empty())
            co_return true;
        auto const written = co_await server_->write(bytes);
        co_return written.is_ok();
    }

    Task<Result<>> bring_answer()
    {
        ReadBuffer buffer;
        for (int interim = 0; interim <= interim_answers_max; ++interim) {
            auto read = co_await read_head(buffer);
            auto const size = CO_TRY(read);
            auto const head = buffer.view().substr(0, size);
            auto const status = status_of(head);
            if (status == 0 || status == 101)
                co_return corruption("what the server answers is no answer");
            auto const text = status < 200 ? std::string(head) : answer_head(head);
            buffer.consume(size);
            has_begun_ = has_begun_ || status >= 200;
            auto written = co_await client_.write(as_bytes(text));
            CO_TRY(written);
            if (status >= 200)
                co_return co_await bring_content(buffer);
        }
        co_return corruption("the server sends no final answer");
    }

    Task<Result<std::size_t>> read_head(ReadBuffer& buffer)
    {
        for (;;) {
            auto found = find_head(buffer.view());
            if (auto const size = CO_TRY(found))
                co_return *size;
            if (buffer.view().size() > limits_.header_bytes_max)
                co_return corruption("the head of the answer is too long");
            auto filled = co_await buffer.fill(*server_);
            if (CO_TRY(filled) == 0)
                co_return unavailable("the server closed the connection");
            move_deadlines();
        }
    }

    Task<Result<>> bring_content(ReadBuffer& buffer)
    {
        for (;;) {
            auto written = co_await client_.write(as_bytes(buffer.view()));
            CO_TRY(written);
            buffer.consume(buffer.view().size());
            auto filled = co_await buffer.fill(*server_);
            if (CO_TRY(filled) == 0)
                co_return Result<>();
            move_deadlines();
        }
    }

    Task<> end()
    {
        is_over_ = true;
        server_->close();
        client_.set_deadline(Duration::zero()); // what waits to read from it waits no longer
        while (!is_sent_) {
            auto const seen = sent_.version();
            if (!is_sent_)
                co_await sent_.wait_past(seen, limits_.idle_deadline);
        }
    }

    ForwardedRequest request_;
    Stream& client_;
    std::unique_ptr<Stream> server_;
    ForwardLimits limits_;
    std::optional<std::uint64_t> left_; // of the body, where its length is known
    bool has_begun_ = false; // the client has the beginning of an answer
    bool is_over_ = false;
    bool is_sent_ = false; // the body's task has ended
    Notification sent_;
};

} // namespace

Task<Result<>> forward(EventLoop& loop, ForwardedRequest request, Stream& client, std::unique_ptr<Stream> server, ForwardLimits limits)
{
    auto exchange = std::make_shared<Exchange>(std::move(request), client, std::move(server), limits);
    co_return co_await Exchange::run(loop, exchange);
}

} // namespace writ::net
