// SPDX-License-Identifier: Apache-2.0
//
// Requests and expected answers as Hurl files have them (https://hurl.dev), as much of it as tests of a witness use: method, URL, headers, a
// body between fences, in backquotes or as JSON left as it is; the status, headers, a body, and asserts on status, headers and body. What
// else there is, is an error: nothing is passed over in silence.
#pragma once

#include "base/result.h"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace writ::conformance {

struct HurlAnswer {
    int status = 0;
    std::string content_type;
    std::string body;
};

struct HurlEntry {
    int line = 0;
    std::string method, path; // of the URL, with its query
    std::string body;
    int status = 0; // 0: any
    std::map<std::string, std::string> headers;
    std::optional<std::string> expected_body;
    std::vector<std::string> asserts;
};
Result<std::vector<HurlEntry>> parse_hurl(std::string_view text);

// invalid_argument: an assert that is not understood; corruption: the answer is another one.
Result<> check_hurl(HurlEntry const&, HurlAnswer const&);

} // namespace writ::conformance
