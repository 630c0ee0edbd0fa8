// SPDX-License-Identifier: Apache-2.0
//
// What a token endpoint, or whoever answers in its place, says.
#include "issue/token_answer.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    (void)writ::issue::parse_bearer_answer(text).is_ok();
    (void)writ::issue::parse_impersonated_token(text).is_ok();
    (void)writ::issue::parse_told_error(text);
    return 0;
}
