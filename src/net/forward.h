// SPDX-License-Identifier: Apache-2.0
//
// One HTTP/1.1 request handed on to another server, and its answer back: bodies as they come, of any length and for as long as they take, since what stands between
// two streams need not understand them. The client's connection ends with the answer.
#pragma once

#include "net/http_message.h"
#include "net/stream.h"
#include "net/task.h"

#include <memory>

namespace writ::net {

struct ForwardLimits {
    // Without a byte in either direction. A model thinks for minutes.
    Duration idle_deadline = std::chrono::minutes(10);
    // LIMIT: the head of the answer.
    std::size_t header_bytes_max = 64U << 10U;
};

struct ForwardedRequest {
    Request head; // its body is not read yet; method, path, query and fields as the next server is to get them
    std::string host; // for that server's `Host`
    std::string read_ahead; // of the body, and whatever came behind it
};

// Returns when the answer has gone to the client, whose connection the caller ends; one that was cut off is ended here. On an error the client was given no answer yet.
// unavailable: the server cut off, or the client left; corruption: what the server sent is not HTTP; invalid_argument: the request cannot be sent.
// SPEC: RFC 9110 §7.6.1: fields that are between two neighbours alone are not handed on.
Task<Result<>> forward(EventLoop& loop, ForwardedRequest request, Stream& client, std::unique_ptr<Stream> server, ForwardLimits limits = {});

} // namespace writ::net
