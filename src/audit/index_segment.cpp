// SPDX-License-Identifier: Apache-2.0
#include "audit/index_segment.h"

#include "audit/record_items.h"
#include "base/result.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace writ::audit {

namespace {

static_assert(std::endian::native == std::endian::little, "pages are little-endian, and written as memory has them");

constexpr unsigned place_bits = 16;
// More places than this are a bitmap. A list is never as long as one, which tells them apart.
constexpr std::size_t listed_max = sizeof(Bitmap) / sizeof(std::uint16_t) - 1;
constexpr std::size_t group_bytes = 20;
constexpr std::size_t range_bytes = 16;
// Of a full segment one term in eight or so that it does not have is taken for one that it may have.
constexpr std::size_t seen_bits = std::size_t(1) << 20U;

template <typename Number> void put(Bytes& out, Number number)
{
    auto const at = out.size();
    out.resize(at + sizeof number);
    std::memcpy(out.data() + at, &number, sizeof number);
}

// REQUIRES: it is there.
template <typename Number> Number get(BytesView bytes, std::size_t at)
{
    Number number;
    std::memcpy(&number, bytes.data() + at, sizeof number);
    return number;
}

Error damaged() { return corruption("audit index: a page is not what was written"); }

std::uint16_t place_of(std::uint64_t posting) { return static_cast<std::uint16_t>(posting); }
std::uint64_t term_of_posting(std::uint64_t posting) { return posting >> place_bits; }
std::uint32_t key_of(Term term) { return static_cast<std::uint32_t>(term); }

// One term's postings, which are in order.
void put_places(Bytes& out, std::span<std::uint64_t const> postings)
{
    if (postings.size() <= listed_max) {
        for (auto const posting : postings)
            put(out, place_of(posting));
        return;
    }
    Bitmap bitmap;
    for (auto const posting : postings)
        bitmap.set(place_of(posting));
    auto const bytes = bitmap.bytes();
    out.insert(out.end(), bytes.begin(), bytes.end());
}

struct KeyAndEnd {
    std::uint32_t key, end;
};

// Postings of one page, in order: their keys with where each one's places end, then the places.
Bytes term_page(std::span<std::uint64_t const> postings)
{
    std::vector<KeyAndEnd> keys;
    Bytes places;
    while (!postings.empty()) {
        auto const term = term_of_posting(postings.front());
        auto const end = std::find_if(postings.begin(), postings.end(), [term](auto posting) { return term_of_posting(posting) != term; });
        auto const count = static_cast<std::size_t>(end - postings.begin());
        put_places(places, postings.first(count));
        keys.push_back({ key_of(term), static_cast<std::uint32_t>(places.size()) });
        postings = postings.subspan(count);
    }
    Bytes page;
    page.reserve(4 + keys.size() * sizeof(KeyAndEnd) + places.size());
    put(page, static_cast<std::uint32_t>(keys.size()));
    for (auto const& entry : keys)
        put(page, entry);
    page.insert(page.end(), places.begin(), places.end());
    return page;
}

} // namespace

void Bitmap::assign(BytesView bytes)
{
    ASSERT(bytes.size() == sizeof words_);
    std::memcpy(words_.data(), bytes.data(), sizeof words_);
}

std::uint32_t Bitmap::last_below(std::uint32_t place) const
{
    if (place == 0)
        return segment_records;
    auto const last = place - 1;
    auto word = words_[last / 64] & (~std::uint64_t(0) >> (63 - last % 64));
    for (auto i = last / 64;; word = words_[--i]) {
        if (word != 0)
            return i * 64 + 63 - static_cast<std::uint32_t>(std::countl_zero(word));
        if (i == 0)
            return segment_records;
    }
}

std::uint32_t Bitmap::first_from(std::uint32_t place) const
{
    if (place >= segment_records)
        return segment_records;
    auto word = words_[place / 64] & (~std::uint64_t(0) << (place % 64));
    for (auto i = place / 64;; word = words_[i]) {
        if (word != 0)
            return i * 64 + static_cast<std::uint32_t>(std::countr_zero(word));
        if (++i == words_.size())
            return segment_records;
    }
}

namespace {

void set_places(std::vector<std::uint64_t> const& postings, Term term, Bitmap& places, bool& is_there)
{
    for (auto const posting : postings) {
        if (term_of_posting(posting) != term)
            continue;
        places.set(place_of(posting));
        is_there = true;
    }
}

void put_term_pages(std::vector<SegmentPage>& pages, std::vector<std::uint64_t> postings)
{
    std::sort(postings.begin(), postings.end());
    postings.erase(std::unique(postings.begin(), postings.end()), postings.end());
    std::span<std::uint64_t const> rest(postings);
    while (!rest.empty()) {
        auto const number = page_of(term_of_posting(rest.front()));
        auto const end = std::partition_point(
            rest.begin(), rest.end(), [number](auto posting) { return page_of(term_of_posting(posting)) == number; });
        auto const count = static_cast<std::size_t>(end - rest.begin());
        pages.push_back({ number, term_page(rest.first(count)) });
        rest = rest.subspan(count);
    }
}

} // namespace

void SegmentBuilder::push(std::vector<std::uint64_t>& postings, std::uint32_t place)
{
    for (auto const term : terms_) {
        postings.push_back(term << place_bits | place);
        seen_[term % seen_bits] = true;
    }
}

void SegmentBuilder::add(ScannedRecord const* record)
{
    ASSERT(!is_full());
    seen_.resize(seen_bits);
    auto const place = size_++;
    if (place % stretch_records == 0)
        stretches_.emplace_back();
    if (record == nullptr)
        return;
    stretches_.back().include(record->time);
    terms_.clear();
    add_terms(*record, terms_);
    push(postings_, place);
    if (is_use(*record))
        add_use(*record, static_cast<std::uint16_t>(place));
    if (!record->items.empty())
        add_items(*record, static_cast<std::uint16_t>(place));
}

// As if each were a record of its own.
void SegmentBuilder::add_items(ScannedRecord const& record, std::uint16_t place)
{
    auto one = record;
    one.items.clear();
    one.outcomes.clear();
    for (auto const& item : record.items) {
        one.resource = item.resource;
        auto const& outcome = record.outcomes[item.outcome];
        one.decision = outcome.decision;
        one.asserted = record.asserted;
        add_asserted(one.asserted, outcome.asserted);
        if (is_use(one))
            add_use(one, place);
    }
}

void SegmentBuilder::add_use(ScannedRecord const& record, std::uint16_t place)
{
    auto const hash = use_hash(record);
    ASSERT(groups_.size() < segment_records);
    auto const [known, is_new] = group_numbers_.try_emplace(hash, static_cast<std::uint16_t>(groups_.size()));
    if (is_new) {
        terms_.clear();
        add_use_terms(record, terms_);
        push(use_postings_, known->second);
        groups_.push_back({ .hash = hash, .first = place, .asserted = asserted_of(record.asserted) });
        auto const thing = name_of(record.resource);
        group_things_.push_back(term_of(TermKind::use, thing.name, thing.type));
    }
    auto& group = groups_[known->second];
    group.last = place;
    if (record.type == RecordType::issuance) {
        group.issuance = place;
        group.issuances = static_cast<std::uint16_t>(std::min<int>(group.issuances + 1, UINT16_MAX));
    } else {
        group.decisions = static_cast<std::uint16_t>(std::min<int>(group.decisions + 1, UINT16_MAX));
    }
}

TimeRange SegmentBuilder::times() const
{
    TimeRange times;
    for (auto const& stretch : stretches_)
        times.include(stretch);
    return times;
}

void SegmentBuilder::clear(std::uint64_t first)
{
    first_ = first;
    size_ = 0;
    seen_.assign(seen_bits, false);
    postings_.clear();
    use_postings_.clear();
    group_things_.clear();
    stretches_.clear();
    groups_.clear();
    group_numbers_.clear();
}

bool SegmentBuilder::find(Term term, Bitmap& places) const
{
    if (seen_.empty() || !seen_[term % seen_bits])
        return false;
    places.clear();
    bool is_there = false;
    set_places(postings_, term, places, is_there);
    set_places(use_postings_, term, places, is_there);
    return is_there;
}

// Those of one thing side by side, so that who used it is read from few pages.
std::vector<std::uint16_t> SegmentBuilder::groups_in_order() const
{
    std::vector<std::uint16_t> order(groups_.size());
    std::iota(order.begin(), order.end(), std::uint16_t(0));
    std::stable_sort(order.begin(), order.end(), [this](auto left, auto right) { return group_things_[left] < group_things_[right]; });
    return order;
}

std::vector<SegmentPage> SegmentBuilder::seal() const
{
    auto const order = groups_in_order();
    std::vector<std::uint16_t> numbers(order.size());
    for (std::uint16_t number = 0; auto const old : order)
        numbers[old] = number++;
    auto postings = postings_;
    for (auto const posting : use_postings_)
        postings.push_back(term_of_posting(posting) << place_bits | numbers[place_of(posting)]);
    std::vector<SegmentPage> pages;
    put_term_pages(pages, std::move(postings));
    Bytes head;
    put(head, first_);
    put(head, std::uint64_t(size_));
    for (auto const& stretch : stretches_) {
        put(head, stretch.earliest.time_since_epoch().count());
        put(head, stretch.latest.time_since_epoch().count());
    }
    pages.push_back({ head_page, std::move(head) });
    for (std::uint32_t number = 0; number < order.size(); ++number) {
        if (number % page_groups == 0)
            pages.push_back({ first_group_page + number / page_groups, {} });
        auto& page = pages.back().bytes;
        auto const& group = groups_[order[number]];
        put(page, group.hash);
        for (auto const value : { group.first, group.last, group.issuance, group.decisions, group.issuances, group.asserted })
            put(page, value);
    }
    return pages;
}

namespace {

// A page of terms, cut into its two parts.
struct TermPage {
    std::size_t count = 0;
    BytesView entries, places;
};
Result<TermPage> cut_term_page(BytesView page)
{
    constexpr std::size_t head = 4;
    auto const count = page.size() < head ? 0 : get<std::uint32_t>(page, 0);
    if (page.size() < head || (page.size() - head) / sizeof(KeyAndEnd) < count)
        return damaged();
    return TermPage { count, page.subspan(head, count * sizeof(KeyAndEnd)), page.subspan(head + count * sizeof(KeyAndEnd)) };
}

} // namespace

Result<std::vector<std::uint32_t>> keys_in_page(BytesView page)
{
    auto const cut = TRY(cut_term_page(page));
    std::vector<std::uint32_t> keys(cut.count);
    for (std::size_t i = 0; i < cut.count; ++i)
        keys[i] = get<std::uint32_t>(cut.entries, i * sizeof(KeyAndEnd));
    return keys;
}

Result<bool> find_in_page(BytesView page, Term term, Bitmap& places)
{
    auto const [count, entries, payload] = TRY(cut_term_page(page));
    auto const entry = [&](std::size_t i) { return get<KeyAndEnd>(entries, i * sizeof(KeyAndEnd)); };
    std::size_t low = 0, high = count;
    while (low < high) {
        auto const middle = (low + high) / 2;
        if (entry(middle).key < key_of(term))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || entry(low).key != key_of(term))
        return false;
    auto const begin = low == 0 ? 0 : entry(low - 1).end, end = entry(low).end;
    if (begin >= end || end > payload.size() || (end - begin) % 2 != 0 || end - begin > sizeof(Bitmap))
        return damaged();
    auto const listed = payload.subspan(begin, end - begin);
    if (listed.size() == sizeof(Bitmap)) {
        places.assign(listed);
        return true;
    }
    places.clear();
    for (std::size_t i = 0; i < listed.size(); i += 2) {
        auto const place = get<std::uint16_t>(listed, i);
        if (place >= segment_records)
            return damaged();
        places.set(place);
    }
    return true;
}

Result<UseGroup> group_in_page(BytesView page, std::uint32_t number)
{
    auto const at = number % page_groups * group_bytes;
    if (at + group_bytes > page.size())
        return damaged();
    UseGroup group { .hash = get<std::uint64_t>(page, at) };
    auto const value = [&](std::size_t i) { return get<std::uint16_t>(page, at + 8 + 2 * i); };
    group.first = value(0);
    group.last = value(1);
    group.issuance = value(2);
    group.decisions = value(3);
    group.issuances = value(4);
    group.asserted = value(5);
    if (group.first >= segment_records || group.last >= segment_records
        || (group.issuance >= segment_records && group.issuance != UseGroup::none))
        return damaged();
    return group;
}

Result<SegmentHead> head_in_page(BytesView page)
{
    constexpr std::size_t numbers_bytes = 16;
    if (page.size() < numbers_bytes)
        return damaged();
    SegmentHead head { .first = get<std::uint64_t>(page, 0), .size = static_cast<std::uint32_t>(get<std::uint64_t>(page, 8)), .stretches = {} };
    auto const stretches = (head.size + stretch_records - 1) / stretch_records;
    if (head.size == 0 || head.size > segment_records || page.size() != numbers_bytes + stretches * range_bytes)
        return damaged();
    for (std::size_t at = numbers_bytes; at < page.size(); at += range_bytes)
        head.stretches.push_back({ Timestamp(Duration(get<std::int64_t>(page, at))), Timestamp(Duration(get<std::int64_t>(page, at + 8))) });
    return head;
}

} // namespace writ::audit
