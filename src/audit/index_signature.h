// SPDX-License-Identifier: Apache-2.0
//
// Which of 32 segments may have a term: a Bloom filter for each of them, bit by bit side by side, so that one look tells of all. Otherwise a
// term that few segments have, a run's or a trace's, would be looked for in each of them. docs/formats/audit-index.md has the bytes. Private to audit.
#pragma once

#include "audit/index_segment.h"

#include <span>

namespace writ::audit {

// Segments that share signatures.
inline constexpr std::uint32_t signature_segments = 32;
// Signatures of one page of terms, so that a look at one reads little.
inline constexpr std::uint32_t signature_blocks = 8;

using SegmentSet = std::uint32_t; // bit `n`: the nth of the 32
inline constexpr SegmentSet all_segments = UINT32_MAX;

// Where the one that tells of a term lies, for the 32 segments of which this is one.
std::uint64_t signature_number(std::uint32_t segment, Term);
// The lowest of the segments that this one is of.
std::uint64_t first_signature_number(std::uint32_t segment);

struct Signature {
    std::uint64_t number;
    Bytes bytes;
};
// Those of one page of terms: what keys each of the segments, of which `segment` is one, has there.
std::vector<Signature> signatures_of(std::uint32_t segment, std::uint32_t page, std::span<std::vector<std::uint32_t> const> keys);
// Those that may have the term; of those that do not, about one in thirty is among them. corruption: not as signatures_of() makes it.
Result<SegmentSet> segments_with(BytesView signature, Term);

} // namespace writ::audit
