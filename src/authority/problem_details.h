// SPDX-License-Identifier: Apache-2.0
//
// Errors as problem details (RFC 9457), and the other responses every endpoint gives.
#pragma once

#include "base/json.h"
#include "net/http_message.h"

namespace writ::authority {

// SECURITY: an unauthenticated caller gets `code_only`.
enum class Disclosure : std::uint8_t { code_only, message };

int status_of(ErrorCode);
JsonObject problem_object(Error const&, int status, Disclosure);

net::Response problem_response(Error const&, Disclosure);
net::Response problem_response_with_status(int status, Error const&);
// With members of its own, such as `denials` or `errors`.
net::Response problem_response_with(Error const&, JsonObject members);

net::Response json_response(JsonValue const&, int status = 200);
net::Response text_response(std::string text, std::string_view content_type);

} // namespace writ::authority
