// SPDX-License-Identifier: Apache-2.0
//
// Segments of the journal, given and made: the first byte says how. What reads as whole is whole when read again, cut anywhere or not.
#include "tlog/journal.h"

#include <array>

namespace {

using namespace writ;
using namespace writ::tlog;

void read_given(BytesView segment)
{
    auto const parsed = parse_segment(segment, 0, true);
    if (parsed.is_error())
        return;
    ASSERT(parsed->whole <= segment.size());
    if (parsed->whole > 0)
        ASSERT(parse_segment(segment.first(parsed->whole), 0, false).value().end == parsed->end);
}

// A segment with checksums as they should be around records of the fuzzer's choice, cut and altered where it says.
void read_made(BytesView input)
{
    auto const cut = std::size_t(input[0]) << 8U | input[1];
    auto const altered = std::size_t(input[2]) << 8U | input[3];
    auto const flip = input[4];
    auto segment = encode_segment_head(0);
    std::uint64_t first = 0;
    for (auto rest = input.subspan(5); !rest.empty(); first += 2) {
        auto const size = std::min<std::size_t>(rest.size(), rest[0]);
        auto const group = Group::encode(first, std::array { rest.first(size), BytesView() });
        segment.insert(segment.end(), group->bytes().begin(), group->bytes().end());
        rest = rest.subspan(std::max<std::size_t>(size, 1));
    }
    ASSERT(parse_segment(segment, 0, false).value().end == first);
    segment.resize(std::min(segment.size(), cut));
    auto const whole = parse_segment(segment, 0, true).value().whole;
    if (altered < segment.size()) {
        segment[altered] ^= flip;
        if (auto const parsed = parse_segment(segment, 0, true); parsed.is_ok() && flip != 0)
            ASSERT(parsed->whole <= std::max(altered, whole)); // nothing altered is taken for whole
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* bytes, std::size_t size)
{
    constexpr std::size_t made_head = 6;
    if (size > made_head && bytes[0] % 2 == 1)
        read_made({ bytes + 1, size - 1 });
    else
        read_given({ bytes, size });
    return 0;
}
