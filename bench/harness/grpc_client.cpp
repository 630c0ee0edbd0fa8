// SPDX-License-Identifier: Apache-2.0
#include "harness/grpc_client.h"

#include <nghttp2/nghttp2.h>

namespace writ::bench {

namespace {

constexpr std::size_t prefix_bytes = 5; // of a gRPC message: compressed or not, and its length
constexpr std::uint8_t empty_message[prefix_bytes] = {};

nghttp2_nv field(std::string_view name, std::string_view value)
{
    return { const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(name.data())), const_cast<std::uint8_t*>(reinterpret_cast<std::uint8_t const*>(value.data())),
        name.size(), value.size(), NGHTTP2_NV_FLAG_NONE };
}

} // namespace

struct GrpcClient::State {
    explicit State(std::string const& path)
        : socket(path)
    {
    }

    RawSocket socket;
    nghttp2_session* session = nullptr;
    std::int32_t call = 0;
    std::string body; // of the call
    std::string problem;
    bool is_closed = false;
    Bytes buffer = Bytes(64U << 10U);

    static State& of(void* user) { return *static_cast<State*>(user); }
    static int on_header(nghttp2_session*, nghttp2_frame const* frame, std::uint8_t const* name, std::size_t name_size, std::uint8_t const* value, std::size_t value_size,
        std::uint8_t, void* user)
    {
        if (frame->hd.stream_id == of(user).call && std::string_view(reinterpret_cast<char const*>(name), name_size) == "grpc-message")
            of(user).problem.assign(reinterpret_cast<char const*>(value), value_size);
        return 0;
    }
    static int on_data(nghttp2_session*, std::uint8_t, std::int32_t id, std::uint8_t const* data, std::size_t size, void* user)
    {
        if (id == of(user).call)
            of(user).body.append(reinterpret_cast<char const*>(data), size);
        return 0;
    }
    static int on_close(nghttp2_session*, std::int32_t id, std::uint32_t, void* user)
    {
        of(user).is_closed |= id == of(user).call;
        return 0;
    }
    static ssize_t on_request_body(nghttp2_session*, std::int32_t, std::uint8_t* buffer, std::size_t, std::uint32_t* flags, nghttp2_data_source*, void*)
    {
        std::copy_n(empty_message, prefix_bytes, buffer);
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        return prefix_bytes;
    }

    void flush()
    {
        Bytes pending;
        std::uint8_t const* data = nullptr;
        for (auto size = nghttp2_session_mem_send(session, &data); size > 0; size = nghttp2_session_mem_send(session, &data))
            pending.insert(pending.end(), data, data + size);
        if (!pending.empty())
            socket.write(pending);
    }

    [[nodiscard]] bool has_message() const
    {
        if (body.size() < prefix_bytes)
            return false;
        std::size_t size = 0;
        for (std::size_t i = 1; i < prefix_bytes; ++i)
            size = size << 8U | static_cast<std::uint8_t>(body[i]);
        return body.size() >= prefix_bytes + size;
    }
};

GrpcClient::GrpcClient(std::string const& socket)
    : state_(std::make_unique<State>(socket))
{
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, State::on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, State::on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, State::on_close);
    nghttp2_session_client_new(&state_->session, callbacks, state_.get());
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_settings_entry const window { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1U << 20U };
    nghttp2_submit_settings(state_->session, 0, &window, 1);
    nghttp2_session_set_local_window_size(state_->session, 0, 0, 1 << 24U);
}

GrpcClient::~GrpcClient() { nghttp2_session_del(state_->session); }

std::string GrpcClient::first_message(std::string const& path)
{
    nghttp2_nv const fields[] = { field(":method", "POST"), field(":scheme", "http"), field(":path", path), field(":authority", "localhost"),
        field("content-type", "application/grpc"), field("te", "trailers"), field("workload.spiffe.io", "true") };
    nghttp2_data_provider provider {};
    provider.read_callback = State::on_request_body;
    state_->body.clear();
    state_->is_closed = false;
    state_->call = nghttp2_submit_request(state_->session, nullptr, fields, std::size(fields), &provider, nullptr);
    state_->flush();
    while (!state_->has_message() && !state_->is_closed) {
        auto const size = state_->socket.read(state_->buffer);
        if (nghttp2_session_mem_recv(state_->session, state_->buffer.data(), size) < 0)
            give_up("not HTTP/2");
        if (!state_->has_message())
            state_->flush();
    }
    if (!state_->has_message())
        give_up(path + " was refused: " + state_->problem);
    if (!state_->is_closed) {
        // Goes out together with the next request.
        nghttp2_submit_rst_stream(state_->session, NGHTTP2_FLAG_NONE, state_->call, NGHTTP2_CANCEL);
    }
    return state_->body.substr(prefix_bytes);
}

RawSocket const& GrpcClient::socket() const { return state_->socket; }

} // namespace writ::bench
