// SPDX-License-Identifier: Apache-2.0
//
// Where a secret may be sent over HTTP: `https://host[:port]/path`, or `http://` of a loopback address, since in the clear it crosses no network.
#pragma once

#include "net/address.h"

namespace writ::net {

struct SecretOrigin {
    TcpAddress address;
    bool is_tls = true;
    bool operator==(SecretOrigin const&) const = default;
};
// `https://host[:port]`, or `http://` with a loopback address and port; nothing behind it.
Result<SecretOrigin> parse_secret_origin(std::string_view);

// An origin and all below a path of it.
struct UrlPlace {
    SecretOrigin origin;
    std::string path; // `/team/repository`; empty: everything
    bool operator==(UrlPlace const&) const = default;
};
// SECURITY: no user, query, fragment or escape, and no segment that is empty, `.` or `..`: what is compared here is where a client goes. A `/` at the end says nothing.
Result<UrlPlace> parse_url_place(std::string_view);
std::string to_string(UrlPlace const&);

// Whether `place` is `url`, or above it.
bool covers(UrlPlace const& place, UrlPlace const& url);

} // namespace writ::net
