// SPDX-License-Identifier: Apache-2.0
//
// What OAuth 2.0 token endpoints answer (RFC 6749 §5, RFC 8693 §2.2), and Google's APIs beside them. JSON, strictly.
#pragma once

#include "base/clock.h"
#include "base/json.h"
#include "base/secret.h"
#include "net/http_message.h"

#include <optional>
#include <string>

namespace writ::issue {

struct TokenAnswer {
    SecretText token;
    std::optional<std::chrono::seconds> lifetime; // `expires_in`
};

// invalid_argument: not such an answer; a token that is empty, of another type than Bearer, or no plain text.
Result<TokenAnswer> parse_bearer_answer(std::string_view body);

struct ImpersonatedToken {
    SecretText token;
    Timestamp expires;
};
// Of IAM Credentials, generateAccessToken.
Result<ImpersonatedToken> parse_impersonated_token(std::string_view body);

// An error's code and words: `{"error":"invalid_grant","error_description":…}`, or Google's `{"error":{"status":…,"message":…}}`. What a body does not say is empty.
struct ToldError {
    std::string code;
    std::string message;
};
ToldError parse_told_error(std::string_view body);

// A name for a token in records: of its SHA-256, which tells nothing of it and is the same for whoever finds the token.
std::string token_fingerprint(std::string_view prefix, SecretText const& token);

} // namespace writ::issue
