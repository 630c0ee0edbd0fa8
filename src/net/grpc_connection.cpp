// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_connection.h"

#include "base/logger.h"

#include <algorithm>
#include <array>
#include <exception>
#include <limits>

namespace writ::net {

namespace {

constexpr std::size_t read_bytes = 16U << 10U;
// LIMIT: frames gathered for one write.
constexpr std::size_t write_bytes_max = 64U << 10U;
// LIMIT: streams a client may reset beyond twice those that ended well. A client that opens and resets as fast as it can is attacking
// (CVE-2023-44487).
constexpr std::size_t spare_resets = 200;
constexpr Duration linger_deadline = std::chrono::seconds(2);

nghttp2_nv field(std::string_view name, std::string_view value)
{
    // nghttp2 copies both; its type just is not const.
    return { const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(name.data())),
        const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(value.data())), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE };
}

std::string_view view_of(std::uint8_t const* data, std::size_t size) { return { reinterpret_cast<char const*>(data), size }; }

bool is_end_of_stream(nghttp2_frame const* frame) { return (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0; }

bool is_grpc(std::string_view content_type)
{
    constexpr std::string_view type = "application/grpc";
    return content_type == type || content_type.starts_with("application/grpc+") || content_type.starts_with("application/grpc;");
}

} // namespace

// nghttp2's callbacks, each handing on to the connection.
struct GrpcCallbacks {
    static GrpcConnection& of(void* user) { return *static_cast<GrpcConnection*>(user); }

    static int on_begin_headers(nghttp2_session*, nghttp2_frame const* frame, void* user)
    {
        if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
            of(user).begin_call(frame->hd.stream_id);
        return 0;
    }

    static int on_header(nghttp2_session*, nghttp2_frame const* frame, std::uint8_t const* name, std::size_t name_size,
        std::uint8_t const* value, std::size_t value_size, std::uint8_t, void* user)
    {
        auto const call = of(user).find(frame->hd.stream_id);
        if (!call || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
            return 0; // a request's trailers mean nothing to gRPC
        auto const is_taken = of(user).add_header(*call, view_of(name, name_size), view_of(value, value_size));
        return is_taken ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; // resets the stream
    }

    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, std::uint8_t const* data, std::size_t size, void* user)
    {
        if (auto const call = of(user).find(id))
            of(user).add_data(*call, view_of(data, size));
        return 0;
    }

    static int on_frame(nghttp2_session*, nghttp2_frame const* frame, void* user)
    {
        auto& connection = of(user);
        if (frame->hd.type == NGHTTP2_SETTINGS)
            connection.update_idle_deadline(); // the preface is over
        if (frame->hd.type == NGHTTP2_RST_STREAM)
            connection.count_reset();
        auto const is_message = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
        if (auto const call = is_message && is_end_of_stream(frame) ? connection.find(frame->hd.stream_id) : nullptr)
            connection.complete_request(*call);
        return 0;
    }

    // A client whose request was answered early need not go on sending it (RFC 9113 §8.1).
    static int on_sent(nghttp2_session* session, nghttp2_frame const* frame, void* user)
    {
        auto const call = of(user).find(frame->hd.stream_id);
        if (call && frame->hd.type == NGHTTP2_HEADERS && is_end_of_stream(frame) && !call->is_request_complete_)
            nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
        return 0;
    }

    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user)
    {
        of(user).close_call(id);
        return 0;
    }

    static ssize_t on_output(
        nghttp2_session*, std::int32_t id, std::uint8_t* buffer, std::size_t size, std::uint32_t* flags, nghttp2_data_source*, void* user)
    {
        auto const call = of(user).find(id);
        return call ? of(user).take_output(*call, { buffer, size }, *flags) : static_cast<ssize_t>(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
    }

    static nghttp2_session* create_session(GrpcConnection* connection)
    {
        nghttp2_session_callbacks* callbacks = nullptr;
        nghttp2_option* option = nullptr;
        nghttp2_session* session = nullptr;
        if (nghttp2_session_callbacks_new(&callbacks) == 0 && nghttp2_option_new(&option) == 0) {
            nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
            nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
            nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
            nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
            nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
            nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
            nghttp2_option_set_no_closed_streams(option, 1); // priorities mean nothing here
            nghttp2_session_server_new2(&session, callbacks, connection, option);
        }
        nghttp2_session_callbacks_del(callbacks);
        nghttp2_option_del(option);
        ASSERT(session); // fails only for lack of memory
        return session;
    }
};

GrpcStreamCall::GrpcStreamCall(GrpcConnection& connection, std::int32_t id)
    : connection_(&connection)
    , id_(id)
    , peer_(connection.stream_->peer())
{
}

void GrpcStreamCall::end()
{
    if (std::exchange(is_over_, true))
        return;
    over_.notify();
    sent_.notify();
}

Task<bool> GrpcStreamCall::wait_for_room(std::size_t message_size)
{
    while (!is_over_ && unsent_bytes() > 0 && unsent_bytes() + message_size > connection_->service_->limits.unsent_bytes_max) {
        auto const seen = sent_.version();
        auto const has_moved = co_await sent_.wait_past(seen, connection_->service_->limits.write_deadline);
        if (!has_moved && connection_)
            connection_->reset(*this, NGHTTP2_CANCEL); // it reads nothing: to us it is gone
        if (!has_moved)
            end();
    }
    co_return !is_over_;
}

void GrpcStreamCall::add_response_metadata(std::string name, std::string value)
{
    ASSERT(!is_response_begun_);
    // SPEC: gRPC over HTTP2, Custom-Metadata: "Implementations MUST base64-encode binary headers".
    if (name.ends_with("-bin"))
        value = to_base64(as_bytes(value));
    response_metadata_.emplace_back(std::move(name), std::move(value));
}

Task<Result<>> GrpcStreamCall::send(std::string message)
{
    ASSERT(message.size() <= std::numeric_limits<std::uint32_t>::max());
    auto const has_room = co_await wait_for_room(message.size());
    if (!has_room || !connection_)
        co_return unavailable("the client has gone");
    output_.erase(0, std::exchange(output_begin_, 0));
    output_ += to_grpc_frame(message);
    connection_->begin_response(*this);
    co_return Result<>();
}

GrpcConnection::GrpcConnection(std::shared_ptr<GrpcService> service, std::unique_ptr<Stream> stream)
    : service_(std::move(service))
    , stream_(std::move(stream))
    , idle_deadline_(service_->loop.context().get_executor(), [this] { on_idle(); })
    , write_deadline_(service_->loop.context().get_executor(), [this] { close(); })
{
    session_.reset(GrpcCallbacks::create_session(this));
    auto const& limits = service_->limits;
    std::array const settings {
        nghttp2_settings_entry { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max },
        nghttp2_settings_entry { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_bytes_max },
    };
    nghttp2_submit_settings(session_.get(), NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    idle_deadline_.set(limits.preface_deadline);
}

GrpcConnection::~GrpcConnection() { abandon_calls(); }

void GrpcConnection::abandon_calls()
{
    for (auto& [id, call] : std::exchange(calls_, {})) {
        call->connection_ = nullptr;
        call->end();
    }
    complete_.clear();
}

Task<> GrpcConnection::serve()
{
    service_->loop.spawn(write_all(shared_from_this()));
    co_await read_all();
    is_closed_ = true;
    abandon_calls();
    wake_.notify();
    co_await written_all_.wait_past(0, service_->limits.write_deadline);
    stream_->close();
    idle_deadline_.clear();
    write_deadline_.clear();
}

Task<> GrpcConnection::read_all()
{
    Bytes buffer(read_bytes);
    while (!is_closed_) {
        auto const size = co_await stream_->read_some(buffer);
        if (size.is_error() || size.value() == 0 || is_closed_)
            co_return;
        auto const used = nghttp2_session_mem_recv(session_.get(), buffer.data(), size.value());
        if (used < 0) {
            log_debug("not HTTP/2", { { "why", nghttp2_strerror(static_cast<int>(used)) }, { "peer", describe(stream_->peer()) } });
            co_return;
        }
        start_calls();
        wake_.notify();
    }
}

Bytes GrpcConnection::next_output()
{
    Bytes output;
    while (output.size() < write_bytes_max) {
        std::uint8_t const* data = nullptr;
        auto const size = nghttp2_session_mem_send(session_.get(), &data);
        if (size <= 0)
            break;
        output.insert(output.end(), data, data + size);
    }
    return output;
}

Task<> GrpcConnection::write_all(std::shared_ptr<GrpcConnection> self)
{
    for (;;) {
        auto const seen = self->wake_.version();
        auto const output = self->next_output();
        auto* const session = self->session_.get();
        if (!output.empty()) {
            self->write_deadline_.set(self->service_->limits.write_deadline);
            auto const written = co_await self->stream_->write(output);
            self->write_deadline_.clear();
            if (written.is_error()) {
                self->close(); // the reader ends too
                break;
            }
            continue;
        }
        if (self->is_closed_ || (nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0))
            break;
        co_await self->wake_.wait_past(seen, Duration::max());
    }
    co_await self->finish_stream();
    self->written_all_.notify();
}

// Closing at once could destroy what is on its way to the client, so the client may close first.
Task<> GrpcConnection::finish_stream()
{
    if (is_closed_)
        co_return;
    is_finishing_ = true;
    idle_deadline_.set(linger_deadline);
    co_await stream_->finish();
}

void GrpcConnection::go_away()
{
    nghttp2_submit_goaway(
        session_.get(), NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(session_.get()), NGHTTP2_NO_ERROR, nullptr, 0);
    wake_.notify();
}

void GrpcConnection::close()
{
    is_closed_ = true;
    stream_->close();
    wake_.notify();
}

std::shared_ptr<GrpcStreamCall> GrpcConnection::find(std::int32_t id) const
{
    auto const found = calls_.find(id);
    return found == calls_.end() ? nullptr : found->second;
}

void GrpcConnection::begin_call(std::int32_t id) { calls_.emplace(id, std::make_shared<GrpcStreamCall>(*this, id)); }

bool GrpcConnection::add_header(GrpcStreamCall& call, std::string_view name, std::string_view value)
{
    // SPEC: RFC 9113 §6.5.2: a field counts 32 bytes besides its own.
    call.header_bytes_ += name.size() + value.size() + 32;
    if (call.header_bytes_ > service_->limits.header_bytes_max)
        return false;
    if (name == ":method")
        call.method_ = value;
    else if (name == ":path")
        call.path_ = value;
    else if (name == "content-type")
        call.content_type_ = value;
    if (!name.starts_with(':'))
        call.metadata_.add(name, std::string(value));
    return true;
}

void GrpcConnection::add_data(GrpcStreamCall& call, std::string_view data)
{
    if (call.is_refused_ || call.is_request_complete_)
        return;
    if (call.request_.size() + data.size() > service_->limits.message_bytes_max + grpc_prefix_bytes) {
        call.is_refused_ = true;
        return finish_call(call, { GrpcCode::resource_exhausted, "the message is too long" });
    }
    call.request_ += data;
}

void GrpcConnection::complete_request(GrpcStreamCall& call)
{
    call.is_request_complete_ = true;
    if (!call.is_refused_)
        complete_.push_back(find(call.id_));
}

void GrpcConnection::start_calls()
{
    for (auto const& call : std::exchange(complete_, {}))
        if (call->connection_)
            start_call(call);
}

void GrpcConnection::start_call(std::shared_ptr<GrpcStreamCall> const& call)
{
    if (call->method_ != "POST")
        return refuse_http(*call, "405");
    if (!is_grpc(call->content_type_))
        return refuse_http(*call, "415");
    auto const method = service_->methods.find(call->path_);
    if (method == service_->methods.end())
        return finish_call(*call, { GrpcCode::unimplemented, "there is no such method" });
    // A method may run on after its stream was reset; those count too.
    if (running_ >= service_->limits.streams_max)
        return finish_call(*call, { GrpcCode::resource_exhausted, "too many calls on this connection" });
    auto body = parse_grpc_body(call->request_);
    if (body.status.code != GrpcCode::ok)
        return finish_call(*call, std::move(body.status));
    call->request_ = std::move(body.message);
    if (auto const text = call->metadata_.get("grpc-timeout")) {
        auto const timeout = parse_grpc_timeout(*text);
        if (!timeout)
            return finish_call(*call, { GrpcCode::invalid_argument, "`grpc-timeout` is no timeout" });
        call->deadline_.emplace(service_->loop.context().get_executor(), [late = call.get()] {
            late->is_late_ = true;
            late->end();
        });
        call->deadline_->set(*timeout);
    }
    service_->loop.spawn(run_call(shared_from_this(), call, &method->second));
}

Task<> GrpcConnection::run_call(std::shared_ptr<GrpcConnection> self, std::shared_ptr<GrpcStreamCall> call, GrpcMethod const* method)
{
    ++self->running_;
    ++self->service_->call_count;
    self->update_idle_deadline();
    GrpcStatus status;
    try {
        status = co_await (*method)(*call);
    } catch (std::exception const& error) {
        log_error("a call ended with an exception", { { "what", error.what() } });
        status = { GrpcCode::internal, "the call could not be answered" };
    } catch (...) {
        log_error("a call ended with an exception", { { "what", "not a std::exception" } });
        status = { GrpcCode::internal, "the call could not be answered" };
    }
    if (call->is_late_)
        status = { GrpcCode::deadline_exceeded, "the call's deadline has passed" };
    --self->running_;
    --self->service_->call_count;
    self->finish_call(*call, std::move(status));
    self->update_idle_deadline();

    // What was sent last may still wait for a client that reads slowly, but not for one that does not read at all.
    while (call->connection_) {
        auto const has_moved = co_await call->sent_.wait_past(call->sent_.version(), self->service_->limits.write_deadline);
        if (!has_moved && call->connection_)
            co_return self->reset(*call, NGHTTP2_CANCEL);
    }
}

void GrpcConnection::close_call(std::int32_t id)
{
    auto const call = find(id);
    if (!call)
        return;
    calls_.erase(id);
    ++finished_;
    call->connection_ = nullptr;
    call->end();
    call->sent_.notify();
}

void GrpcConnection::count_reset()
{
    if (++resets_ > spare_resets + 2 * (finished_ - std::min(finished_, resets_)))
        nghttp2_session_terminate_session(session_.get(), NGHTTP2_ENHANCE_YOUR_CALM);
}

void GrpcConnection::update_idle_deadline()
{
    if (is_finishing_)
        return;
    if (running_ > 0)
        idle_deadline_.clear();
    else
        idle_deadline_.set(service_->limits.idle_deadline);
}

void GrpcConnection::on_idle()
{
    if (is_finishing_)
        return close();
    nghttp2_session_terminate_session(session_.get(), NGHTTP2_NO_ERROR);
    wake_.notify();
}

void GrpcConnection::refuse_http(GrpcStreamCall& call, std::string_view status)
{
    std::array const fields { field(":status", status) };
    nghttp2_submit_response(session_.get(), call.id_, fields.data(), fields.size(), nullptr);
}

void GrpcConnection::finish_call(GrpcStreamCall& call, GrpcStatus status)
{
    if (!call.connection_)
        return;
    call.status_ = std::move(status);
    if (call.is_response_begun_)
        return begin_response(call);
    // SPEC: gRPC over HTTP2, "Trailers-Only": a call that ends without a message has its status in the headers.
    auto const code = std::to_string(static_cast<int>(call.status_->code));
    auto const message = to_grpc_message_field(call.status_->message);
    std::array const fields { field(":status", "200"), field("content-type", "application/grpc"), field("grpc-status", code),
        field("grpc-message", message) };
    nghttp2_submit_response(session_.get(), call.id_, fields.data(), message.empty() ? 3 : 4, nullptr);
    wake_.notify();
}

void GrpcConnection::begin_response(GrpcStreamCall& call)
{
    if (std::exchange(call.is_response_begun_, true)) {
        nghttp2_session_resume_data(session_.get(), call.id_);
    } else {
        nghttp2_data_provider provider {};
        provider.read_callback = GrpcCallbacks::on_output;
        std::vector fields { field(":status", "200"), field("content-type", "application/grpc") };
        for (auto const& [name, value] : call.response_metadata_)
            fields.push_back(field(name, value));
        nghttp2_submit_response(session_.get(), call.id_, fields.data(), fields.size(), &provider);
    }
    wake_.notify();
}

void GrpcConnection::reset(GrpcStreamCall& call, std::uint32_t code)
{
    nghttp2_submit_rst_stream(session_.get(), NGHTTP2_FLAG_NONE, call.id_, code);
    wake_.notify();
}

ssize_t GrpcConnection::take_output(GrpcStreamCall& call, std::span<std::uint8_t> into, std::uint32_t& flags)
{
    auto const size = std::min(into.size(), call.unsent_bytes());
    std::copy_n(call.output_.begin() + static_cast<std::ptrdiff_t>(call.output_begin_), size, into.begin());
    call.output_begin_ += size;
    if (size > 0)
        call.sent_.notify();
    if (call.unsent_bytes() > 0)
        return static_cast<ssize_t>(size);
    if (!call.status_)
        return size > 0 ? static_cast<ssize_t>(size) : static_cast<ssize_t>(NGHTTP2_ERR_DEFERRED);
    flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
    auto const code = std::to_string(static_cast<int>(call.status_->code));
    auto const message = to_grpc_message_field(call.status_->message);
    std::array const trailers { field("grpc-status", code), field("grpc-message", message) };
    nghttp2_submit_trailer(session_.get(), call.id_, trailers.data(), message.empty() ? 1 : 2);
    return static_cast<ssize_t>(size);
}

} // namespace writ::net
