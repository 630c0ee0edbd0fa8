// SPDX-License-Identifier: Apache-2.0
//
// Slots of `head`, given and made: what reads has one way to be written.
#include "tlog/head_file.h"

#include <algorithm>

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    using namespace writ::tlog;
    BytesView const input { bytes, size };
    if (auto const slot = parse_head_slot(input))
        ASSERT(std::ranges::equal(encode_head_slot(*slot), input));
    auto made = encode_head_slot({ .number = size, .checkpoint = to_text(input.first(std::min(size, checkpoint_bytes_max))) });
    ASSERT(parse_head_slot(made)->checkpoint.size() == std::min(size, checkpoint_bytes_max));
    if (size >= 3) {
        auto const at = (std::size_t(bytes[0]) << 8U | bytes[1]) % made.size();
        made[at] ^= bytes[2];
        ASSERT(parse_head_slot(made).has_value() == (bytes[2] == 0));
    }
    return 0;
}
