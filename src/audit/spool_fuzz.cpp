// SPDX-License-Identifier: Apache-2.0
//
// A spool's file. Of what is whole in it the same is read again, and what is behind it changes nothing of that.
#include "audit/spool.h"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    using namespace writ;
    using namespace writ::audit;
    BytesView const file(bytes, size);
    auto const parsed = parse_spool(file);
    if (parsed.is_error())
        return 0;
    ASSERT(parsed->bytes <= size);
    auto const again = parse_spool(file.first(parsed->bytes)).value();
    ASSERT(again.texts == parsed->texts && again.bytes == parsed->bytes && again.is_sealed == parsed->is_sealed);
    return 0;
}
