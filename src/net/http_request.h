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
    bool is_head_alone = false; // the body, if any, is in the buffer and behind it
};

struct RequestHooks {
    std::function<void()> on_begin; // when the first byte of a request is there
    std::function<bool(Request const& head)> wants_head_alone {}; // may be empty
};
Task<Incoming> read_request(Stream&, ReadBuffer&, HttpServerLimits const&, RequestHooks);

} // namespace writ::net
