// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 over any listener: keep-alive, pipelining, deadlines and limits for everything a peer may do. Requests whose length two
// parsers could read differently are refused (RFC 9112 §11.2). Its own refusals are problem details (RFC 9457).
#pragma once

#include "base/limits.h"
#include "net/http_message.h"
#include "net/listener.h"
#include "net/task.h"
#include "net/tls.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace writ::net {

struct HttpServerLimits {
    // LIMIT: request line and headers; a JWT in a header is some 2 KiB.
    std::size_t header_bytes_max = 16U << 10U;
    std::size_t body_bytes_max = limits::request_body_bytes_max;
    // A peer has this long for: the TLS handshake, a request's head after its first byte, its body, the next request, to read a response.
    Duration handshake_deadline = std::chrono::seconds(10);
    Duration header_deadline = std::chrono::seconds(10);
    Duration body_deadline = std::chrono::seconds(30);
    Duration idle_deadline = std::chrono::seconds(75);
    Duration write_deadline = std::chrono::seconds(30);
};

// Called once for each request, on the loop. It is not cancelled when its client goes away, so it bounds its own waiting, or
// asks the request whether the client has left. An exception that leaves it is logged and answered with 500.
using HttpHandler = std::function<Task<Response>(Request)>;

// What takes a connection over at a request's head, before its body is read: a proxy.
struct HttpTakeover {
    std::function<bool(Request const& head)> wants;
    // With what was read behind the head. A response is sent as a handler's is; nothing: the client has its answer. The connection ends either way.
    std::function<Task<std::optional<Response>>(Request head, std::string read_ahead, Stream& client)> serve;
};

class HttpServer {
public:
    HttpServer(EventLoop&, HttpHandler, HttpServerLimits = {}, HttpTakeover = {});
    ~HttpServer(); // closes every connection
    HttpServer(HttpServer const&) = delete;
    HttpServer& operator=(HttpServer const&) = delete;

    // Serves what this listener accepts; several listeners may be served.
    void serve(std::unique_ptr<Listener>);
    void serve_tls(std::unique_ptr<Listener>, std::shared_ptr<TlsServerContext>);

    // Stops listening, lets requests that were begun end, closes idle connections; after `grace` closes all.
    Task<> shutdown(Duration grace);
    [[nodiscard]] std::size_t connection_count() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace writ::net
