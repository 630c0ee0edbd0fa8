// SPDX-License-Identifier: Apache-2.0
//
// What STS answers: XML (AWS Query protocol), of which four elements or an error's code are wanted. Reads the small part of XML that these
// answers are written in: elements, text, the five entities; a document type, which could define others, is refused.
#pragma once

#include "base/clock.h"
#include "base/secret.h"

#include <string>
#include <string_view>

namespace writ::issue {

struct StsCredentials {
    std::string access_key_id;
    SecretText secret_access_key;
    SecretText session_token;
    Timestamp expires;
};

struct StsError {
    std::string code; // `AccessDenied`
    std::string message;
};

// LIMIT: an answer; a session token has some 1 to 4 KiB.
inline constexpr std::size_t sts_answer_bytes_max = 64U << 10U;

// invalid_argument: not such XML, one of the elements is not there once, or is empty.
Result<StsCredentials> parse_sts_credentials(std::string_view xml);
// Of any body: what it does not say is empty.
StsError parse_sts_error(std::string_view body);

} // namespace writ::issue
