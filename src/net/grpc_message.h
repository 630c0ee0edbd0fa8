// SPDX-License-Identifier: Apache-2.0
//
// What gRPC puts around messages, into headers and into trailers. Private to net.
#pragma once

#include "net/grpc.h"

#include <optional>
#include <string>
#include <string_view>

namespace writ::net {

// Five bytes in front of a message: whether it is compressed, and its length.
inline constexpr std::size_t grpc_prefix_bytes = 5;

std::string to_grpc_frame(std::string_view message);

// The only message of a request's body, or the status to refuse it with.
struct GrpcBody {
    std::string message;
    GrpcStatus status;
};
GrpcBody parse_grpc_body(std::string_view body);

// The value of `grpc-timeout`; nothing if it is none.
std::optional<Duration> parse_grpc_timeout(std::string_view);

// A status message as a header may carry it.
std::string to_grpc_message_field(std::string_view);

} // namespace writ::net
