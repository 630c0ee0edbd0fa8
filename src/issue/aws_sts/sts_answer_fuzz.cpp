// SPDX-License-Identifier: Apache-2.0
//
// What an STS, or whoever answers in its place, says.
#include "issue/aws_sts/sts_answer.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    (void)writ::issue::parse_sts_credentials(text).is_ok();
    (void)writ::issue::parse_sts_error(text);
    return 0;
}
