// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 to one server, over TCP, a unix socket or TLS, with connections that are kept for the next request. Never retries: the
// caller knows what may be sent twice.
#pragma once

#include "net/address.h"
#include "net/http_message.h"
#include "net/task.h"
#include "net/tls.h"

#include <memory>

namespace writ::net {

struct HttpClientOptions {
    std::shared_ptr<TlsClientContext> tls; // null: plain
    Duration connect_deadline = std::chrono::seconds(10);
    // From the request's first byte to the response's last.
    Duration response_deadline = std::chrono::seconds(60);
    // LIMIT: a response's head and body; more is an error, whatever the server means by it.
    std::size_t header_bytes_max = 32U << 10U;
    std::size_t body_bytes_max = 16U << 20U;
    // LIMIT: connections kept open for reuse. How many are in use is the caller's bound.
    std::size_t idle_connections_max = 8;
};

class HttpClient {
public:
    explicit HttpClient(Address server, HttpClientOptions = {});
    ~HttpClient();
    HttpClient(HttpClient const&) = delete;
    HttpClient& operator=(HttpClient const&) = delete;

    // A response of any status. unavailable: not reachable, cut off, or too late; unauthenticated: the server is not who it should be;
    // corruption: not HTTP; resource_exhausted: too long.
    Task<Result<Response>> send(Request request);
    // The same with another deadline, for long polls.
    Task<Result<Response>> send(Request request, Duration response_deadline);

    // Idle connections are closed; the next request makes a new one. For when the TLS identity changed.
    void forget_connections();

private:
    struct State;
    std::shared_ptr<State> state_;
};

} // namespace writ::net
