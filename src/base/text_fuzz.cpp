// SPDX-License-Identifier: Apache-2.0
//
// Text forms: what one decoder accepts, its encoder writes again, byte for byte; JSON that was accepted is accepted again. (Its fractions may differ in the
// last bit: Boost.JSON 1.81 does not round them exactly, and nothing of ours has any.)
#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"

#include <cstddef>
#include <cstdint>

using namespace writ;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    if (auto const bytes = parse_base64(text); bytes.is_ok())
        ASSERT(to_base64(*bytes) == text);
    if (auto const bytes = parse_base64url(text); bytes.is_ok())
        ASSERT(to_base64url(*bytes) == text);
    if (auto const time = parse_rfc3339(text); time.is_ok())
        ASSERT(parse_rfc3339(to_rfc3339(*time)).value() == *time);
    if (auto const json = parse_json(text); json.is_ok())
        ASSERT(parse_json(to_text(*json)).is_ok());
    return 0;
}
