// SPDX-License-Identifier: Apache-2.0
//
// HTTP requests and responses as plain values, alike for server and client.
#pragma once

#include "base/secret.h"
#include "net/peer.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace writ::net {

// Header fields in their order. Names are compared without regard to case (RFC 9110 §5.1).
class Headers {
public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    Headers(std::initializer_list<Field> fields)
        : fields_(fields)
    {
    }

    // The first field of that name.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    [[nodiscard]] std::size_t count(std::string_view name) const;
    void set(std::string_view name, std::string value); // replaces all fields of that name
    void add(std::string_view name, std::string value);
    void remove(std::string_view name);

    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }
    [[nodiscard]] std::size_t size() const { return fields_.size(); }

private:
    std::vector<Field> fields_;
};

// The parameters of a query or of a form, decoded.
class Parameters {
public:
    using Parameter = std::pair<std::string, std::string>;

    Parameters() = default;
    Parameters(std::initializer_list<Parameter> parameters)
        : parameters_(parameters)
    {
    }

    // The first of that name; a server's request has no second one in its query, a form may.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    [[nodiscard]] std::vector<std::string_view> all(std::string_view name) const;
    [[nodiscard]] bool has_repeated_name() const;
    void add(std::string name, std::string value) { parameters_.emplace_back(std::move(name), std::move(value)); }

    [[nodiscard]] auto begin() const { return parameters_.begin(); }
    [[nodiscard]] auto end() const { return parameters_.end(); }
    [[nodiscard]] std::size_t size() const { return parameters_.size(); }
    [[nodiscard]] bool is_empty() const { return parameters_.empty(); }

private:
    std::vector<Parameter> parameters_;
};

// What somebody sends may be a secret, or have one in it: a text that overwrites itself when it goes.
class RequestBody : public std::string {
public:
    RequestBody() = default;
    RequestBody(std::string text) // NOLINT(google-explicit-constructor): it is a text
        : std::string(std::move(text))
    {
    }
    RequestBody(char const* text) // NOLINT(google-explicit-constructor)
        : std::string(text)
    {
    }
    RequestBody(RequestBody const&) = default;
    RequestBody& operator=(RequestBody const&) = default;
    // What is short is copied when it is moved, and would stay behind.
    RequestBody(RequestBody&& other) noexcept
        : std::string(std::move(static_cast<std::string&>(other)))
    {
        other.wipe_all();
    }
    RequestBody& operator=(RequestBody&& other) noexcept
    {
        if (this == &other)
            return *this;
        wipe_all();
        static_cast<std::string&>(*this) = std::move(static_cast<std::string&>(other));
        other.wipe_all();
        return *this;
    }
    ~RequestBody() { wipe_all(); }

private:
    void wipe_all()
    {
        resize(capacity()); // what is behind its end was its own once
        wipe(data(), size());
        clear();
    }
};

struct Request {
    std::string method = "GET";
    std::string path = "/"; // decoded; from the server: begins with `/`, has no `.` or `..` segment, no encoded `/`, no control character
    Parameters query;
    Headers headers;
    RequestBody body;
    Peer peer; // set by the server
    std::function<bool()> has_left {}; // likewise: whether the client is gone; good until the request is answered
};

struct Response {
    int status = 200;
    Headers headers; // content-length, connection and transfer-encoding are the server's business
    std::string body;
};

// application/x-www-form-urlencoded (a query, or the body of a form), strictly: every `%` with two hex digits, UTF-8, no control
// characters but tab and line ends in values.
Result<Parameters> parse_form(std::string_view text);
std::string to_form(Parameters const&);

// RFC 3986 percent-encoding of one path segment or value: everything but unreserved characters.
std::string percent_encode(std::string_view);
Result<std::string> percent_decode(std::string_view);

std::string_view reason_phrase(int status);

} // namespace writ::net
