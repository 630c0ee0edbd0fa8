// SPDX-License-Identifier: Apache-2.0
//
// A stretch of the log as the index has it: which of its records have which terms, and what was used in it. Built in memory record by record,
// then sealed into pages for the disk. docs/formats/audit-index.md has the bytes. Private to audit. Thread-compatible.
#pragma once

#include "audit/index_terms.h"
#include "audit/record_items.h"
#include "base/bytes.h"

#include <array>
#include <bit>
#include <unordered_map>

namespace writ::audit {

// LIMIT: of one segment.
inline constexpr std::uint32_t segment_records = 32'768;
// LIMIT: a segment with so many use groups is full too: there is room for those of one more record, which has items_max of them.
inline constexpr std::uint32_t segment_groups = segment_records - 2048;
static_assert(segment_groups + items_max < segment_records);
// Records whose earliest and latest time is kept: those of one bundle of the log.
inline constexpr std::uint32_t stretch_records = 256;

// Records of a segment.
class Bitmap {
public:
    void set(std::uint32_t place) { words_[place / 64] |= std::uint64_t(1) << (place % 64); }
    [[nodiscard]] bool test(std::uint32_t place) const { return (words_[place / 64] >> (place % 64) & 1U) != 0; }
    void clear() { words_.fill(0); }
    void keep_only(Bitmap const& other)
    {
        for (std::size_t i = 0; i < words_.size(); ++i)
            words_[i] &= other.words_[i];
    }
    [[nodiscard]] BytesView bytes() const { return { reinterpret_cast<std::uint8_t const*>(words_.data()), sizeof words_ }; }
    void assign(BytesView);
    // The greatest that is set and below `place`; the least that is set and not below it. segment_records: none.
    [[nodiscard]] std::uint32_t last_below(std::uint32_t place) const;
    [[nodiscard]] std::uint32_t first_from(std::uint32_t place) const;

private:
    std::array<std::uint64_t, segment_records / 64> words_ {};
};

struct TimeRange {
    Timestamp earliest = Timestamp::max(), latest = Timestamp::min();
    void include(Timestamp time)
    {
        earliest = std::min(earliest, time);
        latest = std::max(latest, time);
    }
    void include(TimeRange const& other)
    {
        earliest = std::min(earliest, other.earliest);
        latest = std::max(latest, other.latest);
    }
};

// Records that tell of one use (use_hash()). Places in the segment.
struct UseGroup {
    static constexpr std::uint16_t none = 0xffff;
    std::uint64_t hash = 0;
    std::uint16_t first = 0, last = 0;
    std::uint16_t issuance = none; // the last one
    std::uint16_t decisions = 0, issuances = 0;
    Asserted asserted = 0; // all of its records are alike in that
};

struct SegmentPage {
    std::uint32_t number; // see page_of() and group_page_of(), and head_page
    Bytes bytes;
};

// Pages of a segment: terms by their first bits, then a head, then groups by number.
inline constexpr std::uint32_t term_pages = 128;
inline constexpr std::uint32_t head_page = term_pages;
inline constexpr std::uint32_t first_group_page = 256;
inline constexpr std::uint32_t page_groups = 256;
inline constexpr std::uint32_t segment_pages = 512; // numbers, most of them not there
inline std::uint32_t page_of(Term term) { return static_cast<std::uint32_t>(term >> 32U); }
static_assert(std::uint64_t(term_pages) << 32U == std::uint64_t(1) << term_bits);

class SegmentBuilder {
public:
    explicit SegmentBuilder(std::uint64_t first)
        : first_(first)
    {
    }
    // nullptr: an entry that is no record has its place too; nothing finds it.
    void add(ScannedRecord const*);
    [[nodiscard]] std::uint64_t first() const { return first_; } // sequence number
    [[nodiscard]] std::uint32_t size() const { return size_; }
    [[nodiscard]] bool is_full() const { return size_ == segment_records || groups_.size() >= segment_groups; }
    [[nodiscard]] TimeRange times() const;
    // To be built anew from there.
    void clear(std::uint64_t first);

    // As of a sealed one, below.
    [[nodiscard]] bool find(Term, Bitmap&) const;
    [[nodiscard]] UseGroup const& group(std::uint32_t number) const { return groups_[number]; }
    [[nodiscard]] TimeRange stretch(std::uint32_t number) const { return stretches_[number]; }

    [[nodiscard]] std::vector<SegmentPage> seal() const;

private:
    void add_use(ScannedRecord const&, std::uint16_t place);
    void add_items(ScannedRecord const&, std::uint16_t place);
    [[nodiscard]] std::vector<std::uint16_t> groups_in_order() const;

    void push(std::vector<std::uint64_t>& postings, std::uint32_t place); // terms_

    std::uint64_t first_;
    std::uint32_t size_ = 0;
    std::vector<bool> seen_; // by the last bits of a term: what was not seen is not looked for among all postings
    std::vector<std::uint64_t> postings_;     // term, and 16 bits of place
    std::vector<std::uint64_t> use_postings_; // term, and 16 bits of a group's number
    std::vector<TimeRange> stretches_;
    std::vector<UseGroup> groups_;
    std::vector<Term> group_things_; // what each is a use of
    std::unordered_map<std::uint64_t, std::uint16_t> group_numbers_;
    std::vector<Term> terms_;
};

// What a sealed segment's pages hold. corruption: they are not as seal() makes them.
Result<bool> find_in_page(BytesView page, Term, Bitmap&); // places, or groups' numbers; false: the term is not there
Result<std::vector<std::uint32_t>> keys_in_page(BytesView page); // the last 32 bits of its terms
Result<UseGroup> group_in_page(BytesView page, std::uint32_t number);
struct SegmentHead {
    std::uint64_t first = 0;
    std::uint32_t size = 0;
    std::vector<TimeRange> stretches;
};
Result<SegmentHead> head_in_page(BytesView page);

} // namespace writ::audit
