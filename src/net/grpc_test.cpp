// SPDX-License-Identifier: Apache-2.0
#include "net/grpc.h"

#include "net/grpc_message.h"

#include <array>
#include <gtest/gtest.h>
#include <map>
#include <nghttp2/nghttp2.h>
#include <stdexcept>

namespace writ::net {
namespace {

using namespace std::chrono_literals;

std::string_view view_of(std::uint8_t const* data, std::size_t size) { return { reinterpret_cast<char const*>(data), size }; }

// What a client got of one call.
struct Answer {
    Headers fields; // and trailers
    std::string body;
    bool is_closed = false;
    std::uint32_t error_code = 0;

    [[nodiscard]] std::string get(std::string_view name) const { return std::string(fields.get(name).value_or("none")); }
    [[nodiscard]] std::vector<std::string> messages() const
    {
        std::vector<std::string> messages;
        std::string_view rest = body;
        while (rest.size() >= grpc_prefix_bytes) {
            std::size_t size = 0;
            for (std::size_t i = 1; i < grpc_prefix_bytes; ++i)
                size = size << 8U | static_cast<unsigned char>(rest[i]);
            messages.emplace_back(rest.substr(grpc_prefix_bytes, size));
            rest.remove_prefix(std::min(rest.size(), grpc_prefix_bytes + size));
        }
        return messages;
    }
};

// A client that does exactly what a test says, right or wrong.
class RawClient {
public:
    RawClient(std::unique_ptr<Stream> stream, std::optional<std::uint32_t> window)
        : stream_(std::move(stream))
    {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_session_callbacks_new(&callbacks);
        nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
        nghttp2_session_client_new(&session_, callbacks, this);
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_settings_entry const entry { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, window.value_or(1U << 20U) };
        nghttp2_submit_settings(session_, 0, &entry, 1);
    }
    ~RawClient() { nghttp2_session_del(session_); }
    RawClient(RawClient const&) = delete;
    RawClient& operator=(RawClient const&) = delete;

    struct Call {
        std::string path = "/test/echo";
        std::string body = to_grpc_frame("hello");
        Headers headers {};
        std::string method = "POST";
        std::string content_type = "application/grpc";
        bool finish = true;
    };

    std::int32_t begin(Call const& call)
    {
        std::vector<nghttp2_nv> fields { field(":method", call.method), field(":scheme", "http"), field(":path", call.path),
            field(":authority", "localhost"), field("content-type", call.content_type), field("te", "trailers") };
        for (auto const& [name, value] : call.headers)
            fields.push_back(field(name, value));
        nghttp2_data_provider provider {};
        provider.read_callback = on_request_body;
        auto const id = nghttp2_submit_request(session_, nullptr, fields.data(), fields.size(), &provider, nullptr);
        requests_[id] = call;
        return id;
    }

    void reset(std::int32_t id) { nghttp2_submit_rst_stream(session_, 0, id, NGHTTP2_CANCEL); }

    Task<bool> flush()
    {
        std::uint8_t const* data = nullptr;
        for (auto size = nghttp2_session_mem_send(session_, &data); size > 0; size = nghttp2_session_mem_send(session_, &data)) {
            auto const written = co_await stream_->write(BytesView(data, static_cast<std::size_t>(size)));
            if (written.is_error())
                co_return false;
        }
        co_return true;
    }

    // Sends and reads until `done`, or until the server closes or says nothing for so long. Whether it is done.
    Task<bool> run_until(std::function<bool(RawClient const&)> done, Duration patience = 5s)
    {
        Bytes buffer(16'384);
        stream_->set_deadline(patience);
        for (;;) {
            auto const is_sent = co_await flush();
            if (done(*this))
                co_return true;
            if (!is_sent)
                co_return false;
            auto const size = co_await stream_->read_some(buffer);
            if (size.is_error() || size.value() == 0) {
                is_closed_ = size.is_ok() || !stream_->has_expired();
                co_return done(*this);
            }
            nghttp2_session_mem_recv(session_, buffer.data(), size.value());
        }
    }

    Task<Answer> call(Call what)
    {
        auto const id = begin(what);
        co_await run_until([id](RawClient const& client) { return client.answer(id).is_closed; });
        co_return answer(id);
    }

    [[nodiscard]] Answer const& answer(std::int32_t id) const { return answers_[id]; }
    [[nodiscard]] bool has_goaway() const { return has_goaway_; }
    [[nodiscard]] bool is_closed() const { return is_closed_; }
    void close() { stream_->close(); }
    Stream& stream() { return *stream_; }

private:
    static RawClient& of(void* user) { return *static_cast<RawClient*>(user); }
    static nghttp2_nv field(std::string_view name, std::string_view value)
    {
        return { const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(name.data())),
            const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(value.data())), name.size(), value.size(),
            NGHTTP2_NV_FLAG_NONE };
    }
    static int on_header(nghttp2_session*, nghttp2_frame const* frame, std::uint8_t const* name, std::size_t name_size,
        std::uint8_t const* value, std::size_t value_size, std::uint8_t, void* user)
    {
        of(user).answers_[frame->hd.stream_id].fields.add(view_of(name, name_size), std::string(view_of(value, value_size)));
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, std::uint8_t const* data, std::size_t size, void* user)
    {
        of(user).answers_[id].body += view_of(data, size);
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t error_code, void* user)
    {
        of(user).answers_[id].is_closed = true;
        of(user).answers_[id].error_code = error_code;
        return 0;
    }
    static int on_frame(nghttp2_session*, nghttp2_frame const* frame, void* user)
    {
        if (frame->hd.type == NGHTTP2_GOAWAY)
            of(user).has_goaway_ = true;
        return 0;
    }
    static ssize_t on_request_body(
        nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t size, std::uint32_t* flags, nghttp2_data_source*, void* user)
    {
        auto& call = of(user).requests_[id];
        auto const count = std::min(size, call.body.size());
        std::copy_n(call.body.begin(), count, buffer);
        call.body.erase(0, count);
        if (call.body.empty() && call.finish)
            *flags |= NGHTTP2_DATA_FLAG_EOF;
        else if (count == 0)
            return NGHTTP2_ERR_DEFERRED;
        return static_cast<ssize_t>(count);
    }

    std::unique_ptr<Stream> stream_;
    nghttp2_session* session_ = nullptr;
    std::map<std::int32_t, Call> requests_;
    mutable std::map<std::int32_t, Answer> answers_;
    bool has_goaway_ = false;
    bool is_closed_ = false;
};

class Grpc : public testing::Test {
protected:
    void serve(GrpcServerLimits limits = {})
    {
        server_ = std::make_unique<GrpcServer>(loop_, limits);
        server_->add("/test/echo", echo);
        server_->add("/test/fail", [](GrpcCall&) -> Task<GrpcStatus> {
            co_return GrpcStatus { GrpcCode::permission_denied, "no: 100%\nnever" };
        });
        server_->add("/test/metadata", [](GrpcCall& call) -> Task<GrpcStatus> {
            call.add_response_metadata("plain", "text");
            call.add_response_metadata("some-bin", std::string("a\0\n", 3));
            auto const sent = co_await call.send("done");
            co_return GrpcStatus { sent.is_ok() ? GrpcCode::ok : GrpcCode::internal, "" };
        });
        server_->add("/test/throw", [](GrpcCall&) -> Task<GrpcStatus> {
            co_await delay(0ms);
            throw std::runtime_error("a bug");
        });
        server_->add("/test/watch", [this](GrpcCall& call) { return watch(call, *this); });
        server_->add("/test/flood", [this](GrpcCall& call) { return flood(call, *this); });
        server_->add("/test/slow", [](GrpcCall& call) -> Task<GrpcStatus> {
            co_await delay(100ms);
            auto const sent = co_await call.send("late");
            co_return GrpcStatus { sent.is_ok() ? GrpcCode::ok : GrpcCode::internal, "" };
        });
        auto listener = listen_tcp(loop_, { "127.0.0.1", 0 }).value();
        address_ = listener->address();
        server_->serve(std::move(listener));
    }

    static Task<GrpcStatus> echo(GrpcCall& call)
    {
        auto const greeting = std::string(call.metadata().get("x-greeting").value_or(""));
        auto const sent = co_await call.send(greeting + call.request());
        co_return GrpcStatus { sent.is_ok() ? GrpcCode::ok : GrpcCode::internal, "" };
    }

    // Sends the news whenever it changes, until the call is over.
    static Task<GrpcStatus> watch(GrpcCall& call, Grpc& test)
    {
        while (!call.is_over()) {
            auto const seen = test.news_.version();
            auto const sent = co_await call.send("news " + std::to_string(seen));
            if (sent.is_error())
                break;
            std::vector<Watch> watches { Watch(test.news_, seen), Watch(call.over(), 0) };
            co_await wait_for_any(std::move(watches), 5s);
        }
        test.over_.notify();
        co_return GrpcStatus {};
    }

    static Task<GrpcStatus> flood(GrpcCall& call, Grpc& test)
    {
        std::string const message(10'000, 'x');
        for (auto sent = co_await call.send(message); sent.is_ok(); sent = co_await call.send(message))
            ++test.flooded_;
        test.over_.notify();
        co_return GrpcStatus { GrpcCode::unknown, "over" };
    }

    std::unique_ptr<RawClient> client(std::optional<std::uint32_t> window = std::nullopt)
    {
        auto stream = loop_.run(connect(address_, 5s));
        return std::make_unique<RawClient>(std::move(stream).value(), window);
    }
    Answer call(RawClient::Call what) { return loop_.run(client()->call(std::move(what))); }

    EventLoop loop_;
    Address address_;
    Notification news_;
    Notification over_;
    int flooded_ = 0;
    std::unique_ptr<GrpcServer> server_;
};

TEST_F(Grpc, answers_a_unary_call_with_its_message_and_status)
{
    serve();
    auto const answer = call({ .headers = { { "x-greeting", "dear-" } } });
    EXPECT_EQ(answer.get(":status"), "200");
    EXPECT_EQ(answer.get("content-type"), "application/grpc");
    EXPECT_EQ(answer.messages(), std::vector<std::string> { "dear-hello" });
    EXPECT_EQ(answer.get("grpc-status"), "0");
    EXPECT_EQ(answer.error_code, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
    EXPECT_EQ(call({ .body = to_grpc_frame(std::string(60'000, 'x')) }).messages().at(0).size(), 60'000U);
}

TEST_F(Grpc, sends_what_a_method_adds_before_its_message)
{
    serve();
    auto const answer = call({ .path = "/test/metadata" });
    EXPECT_EQ(answer.get("plain"), "text");
    EXPECT_EQ(answer.get("some-bin"), to_base64(as_bytes(std::string_view("a\0\n", 3))));
    EXPECT_EQ(answer.messages(), std::vector<std::string> { "done" });
    EXPECT_EQ(answer.get("grpc-status"), "0");
}

TEST_F(Grpc, ends_failed_calls_with_their_status_alone)
{
    serve();
    auto const denied = call({ .path = "/test/fail" });
    EXPECT_EQ(denied.get("grpc-status"), "7");
    EXPECT_EQ(denied.get("grpc-message"), "no: 100%25%0Anever");
    EXPECT_EQ(denied.body, "");
    auto const thrown = call({ .path = "/test/throw" });
    EXPECT_EQ(thrown.get("grpc-status"), "13");
    EXPECT_EQ(thrown.get("grpc-message").find("a bug"), std::string::npos);
    EXPECT_EQ(call({ .path = "/test/none" }).get("grpc-status"), "12");
}

TEST_F(Grpc, refuses_what_is_not_one_plain_message)
{
    serve();
    auto const frame = to_grpc_frame("hello");
    EXPECT_EQ(call({ .body = "" }).get("grpc-status"), "3");
    EXPECT_EQ(call({ .body = frame + frame }).get("grpc-status"), "3");
    EXPECT_EQ(call({ .body = frame.substr(0, 7) }).get("grpc-status"), "3");
    EXPECT_EQ(call({ .body = "\x01" + frame.substr(1) }).get("grpc-status"), "12");
    EXPECT_EQ(call({ .headers = { { "grpc-timeout", "soon" } } }).get("grpc-status"), "3");
    EXPECT_EQ(call({ .method = "GET" }).get(":status"), "405");
    EXPECT_EQ(call({ .content_type = "application/json" }).get(":status"), "415");
}

TEST_F(Grpc, keeps_its_limits)
{
    serve({ .message_bytes_max = 1000, .header_bytes_max = 500 });
    EXPECT_EQ(call({ .body = to_grpc_frame(std::string(1000, 'x')) }).get("grpc-status"), "0");
    auto const unfinished = call({ .body = to_grpc_frame(std::string(1001, 'x')), .finish = false });
    EXPECT_EQ(unfinished.get("grpc-status"), "8");
    auto const headers = call({ .headers = { { "x", std::string(500, 'x') } } });
    EXPECT_NE(headers.error_code, static_cast<std::uint32_t>(NGHTTP2_NO_ERROR));
    EXPECT_EQ(headers.get("grpc-status"), "none");
}

TEST_F(Grpc, pushes_news_and_learns_when_the_client_cancels)
{
    serve();
    auto const caller = client();
    auto const id = caller->begin({ .path = "/test/watch" });
    auto const has
        = [id](std::size_t count) { return [id, count](RawClient const& raw) { return raw.answer(id).messages().size() == count; }; };
    EXPECT_TRUE(loop_.run(caller->run_until(has(1))));
    EXPECT_EQ(server_->call_count(), 1U);
    loop_.post([this] { news_.notify(); });
    EXPECT_TRUE(loop_.run(caller->run_until(has(2))));
    EXPECT_EQ(caller->answer(id).messages().back(), "news 1");

    caller->reset(id);
    EXPECT_TRUE(loop_.run(caller->flush()));
    EXPECT_TRUE(loop_.run(over_.wait_past(0, 5s)));
    EXPECT_EQ(loop_.run(caller->call({})).get("grpc-status"), "0") << "the connection goes on";
    EXPECT_EQ(server_->call_count(), 0U);
}

TEST_F(Grpc, ends_the_calls_of_a_client_that_disconnects)
{
    serve();
    auto const caller = client();
    auto const id = caller->begin({ .path = "/test/watch" });
    EXPECT_TRUE(loop_.run(caller->run_until([id](RawClient const& raw) { return !raw.answer(id).body.empty(); })));
    caller->close();
    EXPECT_TRUE(loop_.run(over_.wait_past(0, 5s)));
    loop_.run(delay(5ms));
    EXPECT_EQ(server_->connection_count(), 0U);
    EXPECT_EQ(server_->call_count(), 0U);
}

TEST_F(Grpc, tells_a_method_when_its_clients_deadline_passes)
{
    serve();
    auto const answer = call({ .path = "/test/watch", .headers = { { "grpc-timeout", "20m" } } });
    EXPECT_EQ(answer.get("grpc-status"), "4");
    EXPECT_EQ(call({ .path = "/test/slow", .headers = { { "grpc-timeout", "1000u" } } }).get("grpc-status"), "4");
    EXPECT_EQ(call({ .path = "/test/slow", .headers = { { "grpc-timeout", "5S" } } }).get("grpc-status"), "0");
}

TEST_F(Grpc, does_not_pile_up_messages_for_a_client_that_reads_nothing)
{
    serve({ .unsent_bytes_max = 50'000, .write_deadline = 30ms });
    auto const caller = client(0); // no window: nothing may be sent
    auto const id = caller->begin({ .path = "/test/flood" });
    EXPECT_TRUE(loop_.run(caller->run_until([id](RawClient const& raw) { return raw.answer(id).is_closed; })));
    EXPECT_LE(flooded_, 5);
    EXPECT_GE(flooded_, 4);
    EXPECT_EQ(caller->answer(id).error_code, static_cast<std::uint32_t>(NGHTTP2_CANCEL));

    // One that reads gets far more than fits at once.
    auto const reader = client();
    auto const reading = reader->begin({ .path = "/test/flood" });
    EXPECT_TRUE(loop_.run(reader->run_until([reading](RawClient const& raw) { return raw.answer(reading).body.size() > 500'000; })));
}

TEST_F(Grpc, shutdown_lets_calls_end_and_takes_no_more)
{
    serve();
    auto const caller = client();
    auto const slow = caller->begin({ .path = "/test/slow" });
    EXPECT_TRUE(loop_.run(caller->flush()));
    loop_.run(delay(10ms));
    ASSERT_EQ(server_->call_count(), 1U);
    auto const shut = [](GrpcServer& server, Notification done) -> Task<> {
        co_await server.shutdown(5s);
        done.notify();
    };
    Notification done;
    loop_.spawn(shut(*server_, done));
    EXPECT_FALSE(loop_.run(caller->run_until([](RawClient const&) { return false; })));
    EXPECT_TRUE(caller->has_goaway());
    EXPECT_TRUE(caller->is_closed());
    EXPECT_EQ(caller->answer(slow).messages(), std::vector<std::string> { "late" });
    caller->close();
    EXPECT_TRUE(loop_.run(done.wait_past(0, 5s)));
    EXPECT_EQ(server_->connection_count(), 0U);
}

TEST_F(Grpc, closes_connections_that_do_nothing)
{
    serve({ .preface_deadline = 20ms, .idle_deadline = 40ms });
    auto const silent = loop_.run(connect(address_, 5s)).value();
    Bytes buffer(1000);
    std::size_t total = 0;
    for (;;) {
        auto const size = loop_.run(silent->read_some(buffer));
        if (size.is_error() || size.value() == 0)
            break;
        total += size.value();
    }
    EXPECT_GT(total, 0U) << "settings and a goodbye";

    auto const idle = client();
    EXPECT_EQ(loop_.run(idle->call({})).get("grpc-status"), "0");
    EXPECT_FALSE(loop_.run(idle->run_until([](RawClient const&) { return false; })));
    EXPECT_TRUE(idle->has_goaway());
}

TEST_F(Grpc, closes_on_what_is_not_http2_and_on_endless_resets)
{
    serve();
    auto const wrong = loop_.run(connect(address_, 5s)).value();
    EXPECT_TRUE(loop_.run(wrong->write(as_bytes("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))).is_ok());
    Bytes buffer(1000);
    auto size = loop_.run(wrong->read_some(buffer));
    while (size.is_ok() && size.value() > 0)
        size = loop_.run(wrong->read_some(buffer));
    EXPECT_FALSE(wrong->has_expired());

    auto const attacker = client();
    EXPECT_EQ(loop_.run(attacker->call({})).get("grpc-status"), "0");
    for (int i = 0; i < 300 && !attacker->has_goaway(); ++i) {
        auto const id = attacker->begin({ .path = "/test/slow" });
        loop_.run(attacker->flush());
        attacker->reset(id);
        loop_.run(attacker->flush());
    }
    EXPECT_FALSE(loop_.run(attacker->run_until([](RawClient const&) { return false; })));
    EXPECT_TRUE(attacker->has_goaway());
    EXPECT_LE(server_->call_count(), 100U);
}

TEST(GrpcTimeout, has_at_most_eight_digits_and_a_unit)
{
    EXPECT_EQ(parse_grpc_timeout("1H"), Duration(1h));
    EXPECT_EQ(parse_grpc_timeout("99999999n"), Duration(99'999us));
    EXPECT_EQ(parse_grpc_timeout("5u"), Duration(5us));
    for (auto const* const text : { "", "1", "H", "-1S", "123456789S", "1x", "1 S" })
        EXPECT_FALSE(parse_grpc_timeout(text)) << text;
}

} // namespace
} // namespace writ::net
