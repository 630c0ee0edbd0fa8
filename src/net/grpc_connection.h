// SPDX-License-Identifier: Apache-2.0
//
// One HTTP/2 connection of the gRPC server: a task that reads, one that writes, one for each call. nghttp2 keeps the protocol's state
// and sees bytes only. Held by its tasks, and by nobody else. Private to net.
#pragma once

#include "net/deadline.h"
#include "net/grpc.h"
#include "net/grpc_message.h"

#include <map>
#include <memory>
#include <nghttp2/nghttp2.h>
#include <vector>

namespace writ::net {

class GrpcConnection;

// One stream. Its connection may end before its method does.
class GrpcStreamCall final : public GrpcCall {
public:
    GrpcStreamCall(GrpcConnection& connection, std::int32_t id);

    [[nodiscard]] std::string const& request() const override { return request_; }
    [[nodiscard]] Headers const& metadata() const override { return metadata_; }
    [[nodiscard]] Peer const& peer() const override { return peer_; }
    void add_response_metadata(std::string name, std::string value) override;
    Task<Result<>> send(std::string message) override;
    [[nodiscard]] Notification const& over() const override { return over_; }
    [[nodiscard]] bool is_over() const override { return is_over_; }

private:
    friend class GrpcConnection;
    friend struct GrpcCallbacks;

    void end(); // is_over() from now on
    [[nodiscard]] std::size_t unsent_bytes() const { return output_.size() - output_begin_; }
    Task<bool> wait_for_room(std::size_t message_size);

    GrpcConnection* connection_; // null once the stream is closed
    std::int32_t id_;
    Peer peer_;
    Headers metadata_;
    std::string method_;
    std::string path_;
    std::string content_type_;
    std::size_t header_bytes_ = 0;
    std::string request_; // the body while it arrives, the message when the method runs
    bool is_request_complete_ = false;
    bool is_refused_ = false; // answered before its request was complete

    std::vector<std::pair<std::string, std::string>> response_metadata_;
    std::string output_; // framed messages
    std::size_t output_begin_ = 0;
    bool is_response_begun_ = false;
    std::optional<GrpcStatus> status_; // set: the method is done
    Notification sent_;                // some output has gone, or the stream has closed
    std::optional<Deadline> deadline_; // the client's
    bool is_late_ = false;
    bool is_over_ = false;
    Notification over_;
};

// What a connection needs of its server.
struct GrpcService {
    EventLoop& loop;
    GrpcServerLimits limits;
    std::map<std::string, GrpcMethod, std::less<>> methods;
    std::size_t call_count = 0; // methods that run
};

class GrpcConnection : public std::enable_shared_from_this<GrpcConnection> {
public:
    GrpcConnection(std::shared_ptr<GrpcService>, std::unique_ptr<Stream>);
    ~GrpcConnection();
    GrpcConnection(GrpcConnection const&) = delete;
    GrpcConnection& operator=(GrpcConnection const&) = delete;

    // Until the connection is closed.
    Task<> serve();
    // No further calls; closes when those there are have ended.
    void go_away();
    void close();

private:
    friend class GrpcStreamCall;
    friend struct GrpcCallbacks;

    Task<> read_all();
    static Task<> write_all(std::shared_ptr<GrpcConnection>);
    static Task<> run_call(std::shared_ptr<GrpcConnection>, std::shared_ptr<GrpcStreamCall>, GrpcMethod const*);
    Bytes next_output();
    Task<> finish_stream();
    void abandon_calls();

    void begin_call(std::int32_t id);
    bool add_header(GrpcStreamCall&, std::string_view name, std::string_view value);
    void add_data(GrpcStreamCall&, std::string_view data);
    void complete_request(GrpcStreamCall&);
    void start_calls();
    void start_call(std::shared_ptr<GrpcStreamCall> const&);
    void close_call(std::int32_t id);
    void count_reset();

    void refuse_http(GrpcStreamCall&, std::string_view status);
    void finish_call(GrpcStreamCall&, GrpcStatus);
    void begin_response(GrpcStreamCall&);
    void reset(GrpcStreamCall&, std::uint32_t code);
    // nghttp2's reading of a call's output.
    ssize_t take_output(GrpcStreamCall&, std::span<std::uint8_t> into, std::uint32_t& flags);
    void update_idle_deadline();
    void on_idle();

    std::shared_ptr<GrpcStreamCall> find(std::int32_t id) const;

    std::shared_ptr<GrpcService> service_;
    std::unique_ptr<Stream> stream_;
    std::unique_ptr<nghttp2_session, decltype(&nghttp2_session_del)> session_ { nullptr, &nghttp2_session_del };
    std::map<std::int32_t, std::shared_ptr<GrpcStreamCall>> calls_; // open streams
    std::vector<std::shared_ptr<GrpcStreamCall>> complete_;         // their methods start when nghttp2 has returned
    std::size_t running_ = 0;
    std::size_t resets_ = 0;
    std::size_t finished_ = 0;
    Notification wake_; // the writer
    Notification written_all_;
    Deadline idle_deadline_;
    Deadline write_deadline_;
    bool is_finishing_ = false; // everything is written, the client has yet to close
    bool is_closed_ = false;
};

} // namespace writ::net
