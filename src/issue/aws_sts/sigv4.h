// SPDX-License-Identifier: Apache-2.0
//
// Signatures of requests to AWS-style services (Signature Version 4, HMAC-SHA-256), in a header or in the query. Of the three texts on the way all
// are kept, so that they can be compared with what a service says it computed. Pure; thread-safe.
// SPEC: IAM user guide, "Create a signed AWS API request".
#pragma once

#include "base/clock.h"
#include "base/secret.h"
#include "net/http_message.h"

namespace writ::issue {

struct Sigv4Credentials {
    std::string access_key_id;
    SecretText secret_access_key;
    SecretText session_token; // may be empty
};

struct Sigv4Options {
    std::string region;
    std::string service; // `sts`, `s3`
    Timestamp time;
    bool normalize_path = true; // `.`, `..` and `//` are resolved; S3 wants paths as they are
    bool sign_body = false; // sends its digest as x-amz-content-sha256; S3 wants it
    bool sign_session_token = true; // some services want it added to what is signed already
    std::chrono::seconds expires = std::chrono::minutes(15); // of a signature in the query
};

// What is to be signed, as it will be on the wire.
struct Sigv4Message {
    std::string method;
    std::string target; // path and query, neither encoded twice
    net::Headers headers; // with `Host`; all are signed
    std::string body;
};

struct Sigv4Signature {
    std::string canonical_request;
    std::string string_to_sign;
    std::string signature; // hexadecimal
};

struct Sigv4Signed {
    Sigv4Signature signature;
    net::Headers headers; // to be added
    std::string query; // to be added: encoded parameters
};

// Adds X-Amz-Date, Authorization and what the options and credentials want besides.
Sigv4Signed sign_in_headers(Sigv4Message const&, Sigv4Credentials const&, Sigv4Options const&);
// Adds X-Amz-Signature and the parameters that it covers.
Sigv4Signed sign_in_query(Sigv4Message const&, Sigv4Credentials const&, Sigv4Options const&);

} // namespace writ::issue
