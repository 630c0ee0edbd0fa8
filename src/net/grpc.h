// SPDX-License-Identifier: Apache-2.0
//
// gRPC over HTTP/2 over a stream: unary and server-streaming methods. Messages are serialised protobuf; what is in them is the method's
// business. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
#pragma once

#include "net/http_message.h"
#include "net/listener.h"
#include "net/notification.h"
#include "net/task.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace writ::net {

enum class GrpcCode : std::uint8_t {
    ok = 0,
    cancelled = 1,
    unknown = 2,
    invalid_argument = 3,
    deadline_exceeded = 4,
    not_found = 5,
    already_exists = 6,
    permission_denied = 7,
    resource_exhausted = 8,
    failed_precondition = 9,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    unauthenticated = 16,
};

struct GrpcStatus {
    GrpcCode code = GrpcCode::ok;
    std::string message; // crosses to the caller
};

GrpcCode grpc_code_of(ErrorCode);

// One call, as its method sees it. Lives until the method returns, also when the client has gone.
class GrpcCall {
public:
    virtual ~GrpcCall() = default;

    [[nodiscard]] virtual std::string const& request() const = 0; // the request's one message
    [[nodiscard]] virtual Headers const& metadata() const = 0;
    [[nodiscard]] virtual Peer const& peer() const = 0;

    // A field of the response's initial metadata. Of a name that ends with `-bin` the value is any bytes. REQUIRES: before the first send(); not told if
    // the call ends without a message.
    virtual void add_response_metadata(std::string name, std::string value) = 0;

    // Sends a message; waits while too much is unsent. Fails with `unavailable` if the client has gone.
    virtual Task<Result<>> send(std::string message) = 0;

    // Notified once, when the client has gone or its deadline has passed: is_over(). What a streaming method waits for besides its news.
    [[nodiscard]] virtual Notification const& over() const = 0;
    [[nodiscard]] virtual bool is_over() const = 0;
};

// A unary method sends one message and returns ok. An exception that leaves it is logged and answered with `internal`.
using GrpcMethod = std::function<Task<GrpcStatus>(GrpcCall&)>;

struct GrpcServerLimits {
    // LIMIT: calls at once on one connection; an SDK has one stream for each kind of SVID and bundle.
    std::uint32_t streams_max = 100;
    // LIMIT: a request's message; the largest is ValidateJWTSVID with its token.
    std::size_t message_bytes_max = 64U << 10U;
    // LIMIT: of all request headers of a call.
    std::uint32_t header_bytes_max = 16U << 10U;
    // LIMIT: of one call's unsent messages, beyond which send() waits; a set of SVIDs is some KiB.
    std::size_t unsent_bytes_max = 256U << 10U;
    Duration preface_deadline = std::chrono::seconds(10);
    // A connection without calls is closed after this.
    Duration idle_deadline = std::chrono::minutes(10);
    // A peer that reads nothing for so long is gone.
    Duration write_deadline = std::chrono::seconds(30);
};

class GrpcServer {
public:
    explicit GrpcServer(EventLoop&, GrpcServerLimits = {});
    ~GrpcServer(); // closes every connection
    GrpcServer(GrpcServer const&) = delete;
    GrpcServer& operator=(GrpcServer const&) = delete;

    // `path` is `/Service/Method`. Before serve().
    void add(std::string path, GrpcMethod method);
    void serve(std::unique_ptr<Listener>);

    // Stops listening and sends GOAWAY; after `grace`, or when all calls are over, closes all connections.
    Task<> shutdown(Duration grace);
    [[nodiscard]] std::size_t connection_count() const;
    [[nodiscard]] std::size_t call_count() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace writ::net
