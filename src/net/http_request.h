// SPDX-License-Identifier: Apache-2.0
//
// Reads one request from a stream, within limits and deadlines. Whatever two parsers could read differently is refused, not repaired.
// Private to net.
#pragma once

#include "net/http_server.h"
#include "net/http_wire.h"

#include <optional>

namespace writ::net {

// Why a request is not answered by the handler, but by the server, which then closes the connection.
struct Refusal {
    int status = 400;
    std::string detail;
};

struct IncomingRequest {
    Request request;
    bool keep_alive = false;
};

// What came: a request, something to refuse, or neither: the peer has left, or said nothing for too long.
struct Incoming {
    std::optional<IncomingRequest> request;
    std::optional<Refusal> refusal;
};

// `on_begin` is called when the first byte of a request is there.
Task<Incoming> read_request(Stream&, ReadBuffer&, HttpServerLimits const&, std::function<void()> on_begin);

} // namespace writ::net
