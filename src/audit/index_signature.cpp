// SPDX-License-Identifier: Apache-2.0
#include "audit/index_signature.h"

#include "base/result.h"

#include <algorithm>
#include <cstring>

namespace writ::audit {

namespace {

// Two bits are set for each key: with so many positions a key that is not there finds both of its own in one segment of thirty.
constexpr std::size_t positions_of_a_key = 10;
// LIMIT: what the bits of a key that do not name its block tell apart.
constexpr std::size_t positions_min = 64, positions_max = 8192;

struct Positions {
    std::size_t first, second;
};
Positions positions_of(std::uint32_t key, std::size_t count) { return { key % count, (key >> 16U) % count }; }
std::uint32_t block_of(std::uint32_t key) { return key >> 29U; }
static_assert(signature_blocks == std::uint64_t(1) << 32U >> 29U);

std::uint64_t number_of(std::uint32_t segment, std::uint32_t page, std::uint32_t block)
{
    return (std::uint64_t(segment / signature_segments) * term_pages + page) * signature_blocks + block;
}

using Words = std::vector<SegmentSet>;

void set(Words& words, std::uint32_t key, std::size_t segment)
{
    auto const [first, second] = positions_of(key, words.size());
    words[first] |= SegmentSet(1) << segment;
    words[second] |= SegmentSet(1) << segment;
}

Bytes to_bytes(Words const& words)
{
    Bytes bytes(words.size() * sizeof(SegmentSet));
    std::memcpy(bytes.data(), words.data(), bytes.size());
    return bytes;
}

} // namespace

std::uint64_t signature_number(std::uint32_t segment, Term term)
{
    return number_of(segment, page_of(term), block_of(static_cast<std::uint32_t>(term)));
}

std::uint64_t first_signature_number(std::uint32_t segment) { return number_of(segment, 0, 0); }

std::vector<Signature> signatures_of(std::uint32_t segment, std::uint32_t page, std::span<std::vector<std::uint32_t> const> keys)
{
    ASSERT(keys.size() <= signature_segments);
    std::size_t most = 0;
    for (auto const& of_segment : keys)
        most = std::max(most, of_segment.size());
    auto const count = std::bit_ceil(std::clamp(most / signature_blocks * positions_of_a_key, positions_min, positions_max));
    std::vector<Words> blocks(signature_blocks, Words(count));
    for (std::size_t i = 0; i < keys.size(); ++i)
        for (auto const key : keys[i])
            set(blocks[block_of(key)], key, i);
    std::vector<Signature> signatures;
    for (std::uint32_t block = 0; block < signature_blocks; ++block)
        signatures.push_back({ number_of(segment, page, block), to_bytes(blocks[block]) });
    return signatures;
}

Result<SegmentSet> segments_with(BytesView signature, Term term)
{
    auto const count = signature.size() / sizeof(SegmentSet);
    if (signature.size() % sizeof(SegmentSet) != 0 || !std::has_single_bit(count) || count < positions_min || count > positions_max)
        return corruption("audit index: a page is not what was written");
    auto const word = [&](std::size_t position) {
        SegmentSet set = 0;
        std::memcpy(&set, signature.data() + position * sizeof set, sizeof set);
        return set;
    };
    auto const [first, second] = positions_of(static_cast<std::uint32_t>(term), count);
    return word(first) & word(second);
}

} // namespace writ::audit
