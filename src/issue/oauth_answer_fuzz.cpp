// SPDX-License-Identifier: Apache-2.0
//
// What a token endpoint, or whoever answers in its place, says.
#include "issue/oauth_endpoint.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const answer = writ::issue::parse_token_answer(text);
    if (answer.is_ok() && answer->token.reveal().find_first_of("\r\n ") != std::string::npos)
        __builtin_trap();
    writ::net::Response response { 400, {}, std::string(text) };
    if (writ::issue::error_of_token_endpoint(response).message.find('\n') != std::string::npos)
        __builtin_trap();
    (void)writ::issue::parse_token_endpoint(text).is_ok();
    return 0;
}
