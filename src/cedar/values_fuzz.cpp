// SPDX-License-Identifier: Apache-2.0
//
// The texts of decimals, datetimes, durations, addresses and entity names from any bytes. What is read, is written so that it reads as the same.
#include "base/assert.h"
#include "base/bytes.h"
#include "cedar/text.h"
#include "cedar/value.h"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ::cedar;
    auto const text = writ::as_text({ bytes, size });
    if (auto const value = parse_decimal(text); value.is_ok())
        ASSERT(parse_decimal(decimal_text(*value)).value() == *value);
    if (auto const value = parse_duration(text); value.is_ok())
        ASSERT(parse_duration(duration_text(*value)).value() == *value);
    if (auto const value = parse_ip_address(text); value.is_ok())
        ASSERT(parse_ip_address(ip_address_text(*value)).value() == *value);
    if (auto const value = parse_datetime(text); value.is_ok())
        if (auto const written = datetime_text(*value))
            ASSERT(parse_datetime(*written).value() == *value);
    if (auto const uid = parse_entity_uid(text); uid.is_ok())
        ASSERT(parse_entity_uid(to_string(*uid)).value() == *uid);
    return 0;
}
