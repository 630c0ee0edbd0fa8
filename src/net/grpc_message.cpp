// SPDX-License-Identifier: Apache-2.0
#include "net/grpc_message.h"

#include "net/asio_types.h"

#include <charconv>

namespace writ::net {

std::string to_grpc_frame(std::string_view message)
{
    auto const size = static_cast<std::uint32_t>(message.size());
    std::string frame;
    frame.reserve(grpc_prefix_bytes + message.size());
    frame += '\0'; // not compressed
    for (auto shift = 24; shift >= 0; shift -= 8)
        frame += static_cast<char>((size >> static_cast<unsigned>(shift)) & 0xffU);
    frame += message;
    return frame;
}

GrpcBody parse_grpc_body(std::string_view body)
{
    if (body.size() < grpc_prefix_bytes)
        return { .message = "", .status = { GrpcCode::invalid_argument, "the request has no message" } };
    if (body[0] != '\0')
        return { .message = "", .status = { GrpcCode::unimplemented, "compressed messages are not understood" } };
    std::size_t size = 0;
    for (std::size_t i = 1; i < grpc_prefix_bytes; ++i)
        size = size << 8U | static_cast<unsigned char>(body[i]);
    if (body.size() != grpc_prefix_bytes + size)
        return { .message = "", .status = { GrpcCode::invalid_argument, "the request is not one message" } };
    return { .message = std::string(body.substr(grpc_prefix_bytes)), .status = {} };
}

// SPEC: gRPC over HTTP2: "Timeout → "grpc-timeout" TimeoutValue TimeoutUnit", at most eight digits.
std::optional<Duration> parse_grpc_timeout(std::string_view text)
{
    if (text.size() < 2 || text.size() > 9)
        return std::nullopt;
    auto const digits = text.substr(0, text.size() - 1);
    std::uint32_t value = 0;
    auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    switch (text.back()) {
    case 'H': return clamped(std::chrono::hours(value));
    case 'M': return clamped(std::chrono::minutes(value));
    case 'S': return clamped(std::chrono::seconds(value));
    case 'm': return clamped(std::chrono::milliseconds(value));
    case 'u': return clamped(std::chrono::microseconds(value));
    case 'n': return clamped(std::chrono::duration_cast<Duration>(std::chrono::nanoseconds(value)));
    default: return std::nullopt;
    }
}

std::string to_grpc_message_field(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string field;
    for (auto const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte <= 0x7e && c != '%') {
            field += c;
            continue;
        }
        field += '%';
        field += digits[byte >> 4U];
        field += digits[byte & 15U];
    }
    return field;
}

GrpcCode grpc_code_of(ErrorCode code)
{
    switch (code) {
    case ErrorCode::invalid_argument: return GrpcCode::invalid_argument;
    case ErrorCode::unauthenticated: return GrpcCode::unauthenticated;
    case ErrorCode::permission_denied: return GrpcCode::permission_denied;
    case ErrorCode::not_found: return GrpcCode::not_found;
    case ErrorCode::conflict: return GrpcCode::failed_precondition;
    case ErrorCode::resource_exhausted: return GrpcCode::resource_exhausted;
    case ErrorCode::unavailable: return GrpcCode::unavailable;
    case ErrorCode::corruption:
    case ErrorCode::internal: return GrpcCode::internal;
    }
    return GrpcCode::internal;
}

} // namespace writ::net
