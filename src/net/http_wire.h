// SPDX-License-Identifier: Apache-2.0
//
// What the HTTP server and the HTTP client share below the message: bytes read ahead, request targets, fields that may be written.
// Private to net.
#pragma once

#include "net/http_message.h"
#include "net/stream.h"

#include <optional>
#include <string>
#include <string_view>

namespace writ::net {

// Bytes that were read and not used yet.
class ReadBuffer {
public:
    [[nodiscard]] std::string_view view() const { return std::string_view(bytes_).substr(begin_, end_ - begin_); }
    [[nodiscard]] bool is_empty() const { return begin_ == end_; }
    void consume(std::size_t count); // overwrites them: what was read may be a secret

    // Reads more; 0: the peer has finished.
    Task<Result<std::size_t>> fill(Stream&);

private:
    void make_room();

    std::string bytes_; // never shrinks, so that what is behind the end is not cleared for each read
    std::size_t begin_ = 0, end_ = 0;
};

// The path and query of a request line, in origin form (RFC 9112 §3.2.1) alone: a server that is no proxy needs no other.
struct RequestTarget {
    std::string path;
    Parameters query;
};
Result<RequestTarget> parse_request_target(std::string_view);
std::string to_request_target(std::string_view path, Parameters const& query);

// How many bytes at the beginning are a head, with its empty line; nothing: there is more to come. Refuses line ends other than CRLF
// and continued lines, which other parsers along the way may read differently.
Result<std::optional<std::size_t>> find_head(std::string_view);

bool is_token(std::string_view);       // RFC 9110 §5.6.2
bool is_field_value(std::string_view); // nothing that ends or continues a line
// SECURITY: a value with a line end in it would become a field, or a message, of its own.
Result<> check_fields(Headers const&);

// Without those that tell a message's length or its connection's fate, which are not for the caller to set.
void append_fields(std::string& out, Headers const&);

} // namespace writ::net
