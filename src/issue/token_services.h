// SPDX-License-Identifier: Apache-2.0
//
// The HTTP services that issuers get credentials from: connections that are kept, tries, and a bound on what is under way. Used on one loop.
#pragma once

#include "issue/credential_issuer.h"
#include "net/http_client.h"
#include "net/notification.h"

namespace writ::issue {

struct TokenServiceLimits {
    // LIMIT: each try, and tries of one request. To ask twice does no harm: a credential that nobody got is used by nobody.
    Duration connect_deadline = std::chrono::seconds(5);
    Duration response_deadline = std::chrono::seconds(10);
    int tries_max = 3;
    Duration pause_first = std::chrono::milliseconds(200); // doubled after each
    // LIMIT: requests to one service at once; others wait.
    std::size_t requests_max = 16;
    // LIMIT: an answer; a token has some 1 to 4 KiB.
    std::size_t answer_bytes_max = 64U << 10U;
};

struct TokenService {
    std::string endpoint; // `https://host[:port]`
    std::string ca_file; // PEM; empty: the system's roots
    auto operator<=>(TokenService const&) const = default;
};

// `https://host[:port]`, or `http://` of a loopback address: what is answered is a secret.
Result<> check_token_service(std::string_view endpoint);

class TokenServices {
public:
    TokenServices(Clock const& clock, TokenServiceLimits limits)
        : clock_(clock)
        , limits_(limits)
    {
    }
    TokenServices(TokenServices const&) = delete;
    TokenServices& operator=(TokenServices const&) = delete;

    // What an answer of another status than 200 and 204 means.
    using ErrorOf = Error (*)(net::Response const&);

    // An answer of status 200, or 204 without a body; tried again while the service does not answer, or says that it is its own fault (unavailable).
    net::Task<Result<net::Response>> send(TokenService service, net::Request request, ErrorOf error_of);

private:
    struct Service;
    class Turn;
    Result<std::shared_ptr<Service>> find(TokenService const& service);

    Clock const& clock_;
    TokenServiceLimits limits_;
    std::map<TokenService, std::shared_ptr<Service>> services_;
};

} // namespace writ::issue
