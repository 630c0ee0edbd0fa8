// SPDX-License-Identifier: Apache-2.0
//
// Golden tables; and the same bytes as exported audit records.
#include "cli/golden_table.h"
#include "cli/recorded_request.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace writ;
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    (void)cli::parse_golden_table(text).is_ok();
    (void)cli::read_records(text, [](std::uint64_t, JsonObject const& record) -> Result<> {
        (void)cli::recorded_request(record).is_ok();
        return {};
    }).is_ok();
    return 0;
}
