// SPDX-License-Identifier: Apache-2.0
//
// Tokens of other people's OAuth 2.0 token endpoints (RFC 6749 §3.2): asked for, held against what was asked, and handed on or thrown away. Used on one
// loop.
#pragma once

#include "issue/token_delivery.h"
#include "issue/token_services.h"

namespace writ::issue {

struct GrantedToken {
    SecretText token;
    std::optional<Scopes> scopes; // absent: those that were asked for
    Duration lifetime {};
};

// SPEC: RFC 6749 §5.1: access_token, token_type, expires_in and scope, as JSON. invalid_argument: not such an answer, a token that is no header value, or
// one that does not say when it ends.
Result<GrantedToken> parse_token_answer(std::string_view body);
// SPEC: RFC 6749 §5.2: what `error` means, with the endpoint's words.
Error error_of_token_endpoint(net::Response const&);

struct TokenEndpoint {
    std::string origin; // `https://host[:port]`
    std::string path;
};
// `https://host[:port]/path`, or `http://` of a loopback address; no query and no fragment.
Result<TokenEndpoint> parse_token_endpoint(std::string_view url);

class OauthEndpoints {
public:
    OauthEndpoints(Clock const& clock, TokenServiceLimits limits)
        : clock_(clock)
        , services_(clock, limits)
    {
    }

    // The credential for a plan of plan_token() whose settings name the `endpoint` and its `ca_file`. SECURITY: a token of more scopes than were asked for, or of
    // a longer life than it may have, is thrown away.
    net::Task<Result<Credential>> ask(JsonObject target, net::Request request, Timestamp latest);

    // SPEC: RFC 7009 §2: at the settings' `revocation_endpoint`. Of a token that is not known (any more): success.
    net::Task<Result<>> revoke(JsonObject target, net::Request request);

private:
    [[nodiscard]] Result<Credential> credential_of(JsonObject const& target, net::Response response, Timestamp latest) const;

    Clock const& clock_;
    TokenServices services_;
};

// A credential's `withdrawal`, taken apart: the settings it was made with, and the token.
struct Withdrawal {
    JsonObject target;
    SecretText token;
};
Result<Withdrawal> parse_withdrawal(SecretText const& withdrawal);
// SPEC: RFC 7009 §2.1: what is asked beside who asks.
net::Parameters revocation_form(SecretText const& token);

// A POST of a form, or of the same as one JSON object.
net::Request token_request(net::Parameters const& parameters, bool is_json);

} // namespace writ::issue
