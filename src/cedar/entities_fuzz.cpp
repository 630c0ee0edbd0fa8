// SPDX-License-Identifier: Apache-2.0
//
// Entities from any bytes; what is read is written and read to the same.
#include "base/assert.h"
#include "base/bytes.h"
#include "cedar/entity.h"
#include "cedar/value_json.h"

#include <cstddef>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    auto const json = parse_json(as_text({ bytes, size }));
    if (json.is_error())
        return 0;
    auto const entities = cedar::parse_entities(*json);
    if (entities.is_error())
        return 0;
    for (auto const& entity : *entities)
        for (auto const& [name, value] : entity.attributes) {
            auto const again = cedar::parse_value(cedar::to_json(value));
            ASSERT(again.is_ok() && *again == value);
        }
    return 0;
}
