// SPDX-License-Identifier: Apache-2.0
#include "audit/index.h"

#include "audit/index_file.h"

#include <algorithm>
#include <deque>
#include <unordered_map>

namespace writ::audit {

namespace {

// LIMIT: full segments in memory that a full disk does not take, a few MB each. Then the index stands still until there is room.
constexpr std::size_t waiting_segments_max = 16;
// So many sealed segments at the end, which have no signatures in the file yet, are worth some in memory; and so many more are worth them anew.
constexpr std::uint32_t tail_segments_min = 4;
// LIMIT: different uses of one answer; the oldest beyond it are left out.
constexpr std::size_t uses_max = 200'000;

} // namespace

struct Index::State {
    Path path;
    std::optional<IndexFile> file;
    bool is_read_only = false;
    struct Sealed {
        std::uint64_t first = 0;
        std::uint32_t size = 0;
        TimeRange times;
    };
    std::vector<Sealed> sealed_segments; // those in the file
    std::uint32_t forgotten = 0;         // the first of those: nothing but their heads is there
    std::deque<SegmentBuilder> unsealed; // behind those; all but the last are full

    // Signatures of those of the last segments that were sealed when a page of terms was asked for once more. LIMIT: 32 segments' are some 10 MB.
    struct TailPage {
        bool was_asked_for = false;
        std::vector<Signature> signatures; // by block; none yet
    };
    struct Tail {
        std::uint32_t first = 0, end = 0; // segments
        std::unordered_map<std::uint32_t, TailPage> pages;
    };
    mutable Tail tail;

    [[nodiscard]] std::uint32_t sealed() const { return static_cast<std::uint32_t>(sealed_segments.size()); }
    [[nodiscard]] std::uint64_t next() const
    {
        if (!unsealed.empty())
            return unsealed.back().first() + unsealed.back().size();
        return sealed_segments.empty() ? 0 : sealed_segments.back().first + sealed_segments.back().size;
    }
    [[nodiscard]] std::uint64_t first_of(std::uint32_t segment) const
    {
        auto const* const builder = in_memory(segment);
        return builder != nullptr ? builder->first() : sealed_segments[segment].first;
    }
    [[nodiscard]] std::uint64_t end_of(std::uint32_t segment) const
    {
        auto const* const builder = in_memory(segment);
        return first_of(segment) + (builder != nullptr ? builder->size() : sealed_segments[segment].size);
    }
    [[nodiscard]] std::uint32_t segments() const { return sealed() + static_cast<std::uint32_t>(unsealed.size()); }
    [[nodiscard]] SegmentBuilder const* in_memory(std::uint32_t segment) const
    {
        return segment < sealed() ? nullptr : &unsealed[segment - sealed()];
    }
    [[nodiscard]] TimeRange times(std::uint32_t segment) const
    {
        auto const* const builder = in_memory(segment);
        return builder != nullptr ? builder->times() : sealed_segments[segment].times;
    }

    Result<> load();
    Result<> write_full();
    Result<std::vector<Signature>> signatures(std::vector<SegmentPage> const& last) const;
    Result<SegmentSet> possible(std::uint32_t segment, std::vector<Term> const&) const;
    Result<SegmentSet> possible_in_tail(std::uint32_t first, std::vector<Term> const&) const;
    Result<std::vector<std::vector<std::uint32_t>>> keys_of(std::uint32_t first, std::uint32_t end, std::uint32_t page) const;
    // Null: there is no file, but it may be in memory.
    Result<std::unique_ptr<IndexFile::Reading>> begin_reading();
    Result<bool> find_term(std::uint32_t segment, Term, Bitmap&) const;
    Result<bool> find_terms(std::uint32_t segment, std::vector<Term> const&, Bitmap&) const;
    Result<std::vector<TimeRange>> stretches(std::uint32_t segment) const;
    Result<UseGroup> group(std::uint32_t segment, std::uint32_t number, Bytes& page, std::uint32_t& page_number) const;
    Result<bool> visit_segment(std::uint32_t segment, IndexQuery const&, std::function<Result<bool>(std::uint64_t)> const& visit) const;
};

namespace {

// Which segments may have the terms, asked of one after another.
class Sieve {
public:
    using Possible = std::function<Result<SegmentSet>(std::uint32_t segment)>;
    explicit Sieve(Possible possible)
        : possible_(std::move(possible))
    {
    }
    Result<bool> lets_through(std::uint32_t segment)
    {
        if (auto const group = segment / signature_segments; group != group_) {
            set_ = TRY(possible_(segment));
            group_ = group;
        }
        return (set_ >> segment % signature_segments & 1U) != 0;
    }

private:
    Possible possible_;
    std::uint32_t group_ = UINT32_MAX;
    SegmentSet set_ = 0;
};

// Whether times of this range can be what is asked for.
bool overlaps(TimeRange const& range, IndexQuery const& query)
{
    return !(query.since && range.latest < *query.since) && !(query.until && range.earliest > *query.until);
}

} // namespace

Result<> Index::State::load()
{
    sealed_segments.clear();
    for (std::uint32_t segment = 0; segment < file->segments(); ++segment) {
        Sealed sealed { .first = UINT64_MAX, .size = 0, .times = {} };
        TRY(file->read(segment, head_page, [&sealed](BytesView page) -> Result<> {
            auto const head = TRY(head_in_page(page));
            sealed.first = head.first;
            sealed.size = head.size;
            for (auto const& stretch : head.stretches)
                sealed.times.include(stretch);
            return {};
        }));
        if (sealed.first != next())
            return corruption("audit index: a segment is missing");
        sealed_segments.push_back(sealed);
    }
    forgotten = TRY(file->forgotten());
    return {};
}

// Another process may have forgotten more since; it does not while this one reads.
Result<std::unique_ptr<IndexFile::Reading>> Index::State::begin_reading()
{
    auto reading = file ? std::make_unique<IndexFile::Reading>(*file) : nullptr;
    if (is_read_only)
        forgotten = TRY(file->forgotten());
    return reading;
}

Result<> Index::State::write_full()
{
    while (!is_read_only && !unsealed.empty() && unsealed.front().is_full()) {
        auto& full = unsealed.front();
        auto const pages = full.seal();
        auto const ended = TRY(signatures(pages));
        TRY(file->add(pages, ended));
        auto const end = full.first() + full.size();
        sealed_segments.push_back({ .first = full.first(), .size = full.size(), .times = full.times() });
        if (unsealed.size() == 1) // its memory is used again
            full.clear(end);
        else
            unsealed.pop_front();
    }
    return {};
}

// Of the 32 segments that end with the one whose pages are given; none if there are not so many yet.
Result<std::vector<Signature>> Index::State::signatures(std::vector<SegmentPage> const& last) const
{
    std::vector<Signature> made;
    auto const first = sealed() / signature_segments * signature_segments;
    if (sealed() != first + signature_segments - 1)
        return made;
    std::vector<std::vector<std::uint32_t>> of_last(term_pages);
    for (auto const& page : last)
        if (page.number < term_pages)
            of_last[page.number] = TRY(keys_in_page(page.bytes));
    for (std::uint32_t page = 0; page < term_pages; ++page) {
        auto keys = TRY(keys_of(first, sealed(), page));
        keys.resize(signature_segments);
        keys.back() = std::move(of_last[page]);
        std::ranges::move(signatures_of(first, page, keys), std::back_inserter(made));
    }
    return made;
}

// What segments of the file have on one of their pages of terms.
Result<std::vector<std::vector<std::uint32_t>>> Index::State::keys_of(std::uint32_t first, std::uint32_t end, std::uint32_t page) const
{
    std::vector<std::vector<std::uint32_t>> keys(end - first);
    for (auto segment = first; segment < end; ++segment)
        TRY(file->read(segment, page, [&](BytesView bytes) -> Result<> {
            keys[segment - first] = TRY(keys_in_page(bytes));
            return {};
        }));
    return keys;
}

// As possible(), of the last segments: signatures are made of a page of terms that is asked for twice, which is what a trace does.
Result<SegmentSet> Index::State::possible_in_tail(std::uint32_t first, std::vector<Term> const& terms) const
{
    if (sealed() < first + tail_segments_min)
        return all_segments;
    if (tail.first != first || tail.end < first || sealed() < tail.end || sealed() - tail.end >= tail_segments_min)
        tail = { .first = first, .end = sealed(), .pages = {} };
    auto const known = (SegmentSet(1) << (tail.end - first)) - 1; // fewer than 32
    auto set = all_segments;
    for (auto const term : terms) {
        auto& page = tail.pages[page_of(term)];
        if (!std::exchange(page.was_asked_for, true))
            continue;
        if (page.signatures.empty())
            page.signatures = signatures_of(first, page_of(term), TRY(keys_of(first, tail.end, page_of(term))));
        auto const block = signature_number(first, term) % signature_blocks;
        set &= TRY(segments_with(page.signatures[block].bytes, term)) | ~known;
    }
    return set;
}

// Of the segments that share signatures with this one, those that may have all the terms.
Result<SegmentSet> Index::State::possible(std::uint32_t segment, std::vector<Term> const& terms) const
{
    auto const last = segment / signature_segments * signature_segments + signature_segments - 1;
    if (last >= sealed())
        return possible_in_tail(last + 1 - signature_segments, terms);
    auto set = all_segments;
    for (auto const term : terms) {
        auto const is_there = TRY(file->read_signature(signature_number(segment, term), [&](BytesView bytes) -> Result<> {
            set &= TRY(segments_with(bytes, term));
            return {};
        }));
        if (!is_there)
            return corruption("audit index: a page is missing");
        if (set == 0)
            break;
    }
    return set;
}

Result<bool> Index::State::find_term(std::uint32_t segment, Term term, Bitmap& places) const
{
    if (auto const* const builder = in_memory(segment))
        return builder->find(term, places);
    bool found = false;
    TRY(file->read(segment, page_of(term), [&](BytesView page) -> Result<> {
        found = TRY(find_in_page(page, term, places));
        return {};
    }));
    return found;
}

// Records that have all the terms; false if there is none.
Result<bool> Index::State::find_terms(std::uint32_t segment, std::vector<Term> const& terms, Bitmap& places) const
{
    if (!TRY(find_term(segment, terms.front(), places)))
        return false;
    Bitmap others;
    for (std::size_t i = 1; i < terms.size(); ++i) {
        if (!TRY(find_term(segment, terms[i], others)))
            return false;
        places.keep_only(others);
    }
    return true;
}

Result<std::vector<TimeRange>> Index::State::stretches(std::uint32_t segment) const
{
    std::vector<TimeRange> ranges;
    if (auto const* const builder = in_memory(segment)) {
        for (std::uint32_t i = 0; i * stretch_records < builder->size(); ++i)
            ranges.push_back(builder->stretch(i));
        return ranges;
    }
    TRY(file->read(segment, head_page, [&ranges](BytesView page) -> Result<> {
        ranges = TRY(head_in_page(page)).stretches;
        return {};
    }));
    return ranges;
}

// Keeps the page it was on: groups are asked for in order.
Result<UseGroup> Index::State::group(std::uint32_t segment, std::uint32_t number, Bytes& page, std::uint32_t& page_number) const
{
    if (auto const* const builder = in_memory(segment))
        return builder->group(number);
    auto const wanted = first_group_page + number / page_groups;
    if (page_number != wanted) {
        auto const is_there = TRY(file->read(segment, wanted, [&page](BytesView bytes) -> Result<> {
            page.assign(bytes.begin(), bytes.end());
            return {};
        }));
        if (!is_there)
            return corruption("audit index: a page is missing");
        page_number = wanted;
    }
    return group_in_page(page, number);
}

// False: it was told to stop.
Result<bool> Index::State::visit_segment(
    std::uint32_t segment, IndexQuery const& query, std::function<Result<bool>(std::uint64_t)> const& visit) const
{
    Bitmap places;
    if (!TRY(find_terms(segment, query.terms, places)))
        return true;
    auto const ranges = query.since || query.until ? TRY(stretches(segment)) : std::vector<TimeRange>();
    auto const first = first_of(segment);
    auto const in_segment = [first](std::uint64_t sequence) {
        return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(sequence, first, first + segment_records) - first);
    };
    auto const low = in_segment(query.from), high = in_segment(query.before.value_or(UINT64_MAX));
    auto place = query.oldest_first ? places.first_from(low) : places.last_below(high);
    while (place >= low && place < high) {
        auto const stretch = place / stretch_records;
        bool const is_possible = ranges.empty() || (stretch < ranges.size() && overlaps(ranges[stretch], query));
        if (is_possible && !TRY(visit(first + place)))
            return false;
        place = query.oldest_first ? places.first_from(place + 1) : places.last_below(place);
    }
    return true;
}

Index::Index(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}

Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(Path file)
{
    auto state = std::make_unique<State>();
    state->path = std::move(file);
    state->file = TRY(IndexFile::open(state->path));
    if (state->load().is_error()) {
        state->file.reset();
        remove_index_files(state->path);
        state->file = TRY(IndexFile::open(state->path));
        TRY(state->load());
    }
    return std::unique_ptr<Index>(new Index(std::move(state))); // NOLINT: the constructor is private
}

Result<std::unique_ptr<Index>> Index::open_read_only(Path const& file)
{
    auto state = std::make_unique<State>();
    state->path = file;
    state->is_read_only = true;
    state->file = TRY(IndexFile::open_read_only(file));
    TRY(state->load());
    return std::unique_ptr<Index>(new Index(std::move(state))); // NOLINT: the constructor is private
}

bool Index::is_damaged() const { return state_->file && state_->file->is_damaged(); }

std::uint64_t Index::next() const { return state_->next(); }

Result<> Index::clear()
{
    ASSERT(!state_->is_read_only);
    state_->file.reset();
    state_->unsealed.clear();
    state_->sealed_segments.clear();
    state_->forgotten = 0;
    state_->tail = {};
    remove_index_files(state_->path);
    state_->file = TRY(IndexFile::open(state_->path));
    return {};
}

Result<> Index::add(ScannedRecord const* record)
{
    auto& unsealed = state_->unsealed;
    if (!state_->file) // a clear() that the disk did not allow
        state_->file = TRY(IndexFile::open(state_->path));
    if (unsealed.empty())
        unsealed.emplace_back(state_->next());
    if (unsealed.back().is_full()) {
        auto const written = state_->write_full();
        if (unsealed.back().is_full() && unsealed.size() >= waiting_segments_max)
            return written.is_error() ? written.error() : resource_exhausted("audit index: too many records are not in its file");
        if (unsealed.back().is_full())
            unsealed.emplace_back(state_->next());
    }
    unsealed.back().add(record);
    return {};
}

Result<> Index::forget_before(std::uint64_t first_kept)
{
    ASSERT(!state_->is_read_only);
    auto end = state_->forgotten;
    while (end < state_->sealed() && state_->end_of(end) <= first_kept)
        ++end;
    if (end == state_->forgotten)
        return {};
    TRY(state_->file->forget(end));
    state_->forgotten = end;
    return {};
}

Result<> Index::begin_bulk() { return state_->file->begin_bulk(); }

Result<> Index::finish_bulk()
{
    TRY(state_->write_full());
    return state_->file->finish_bulk();
}

Result<> Index::find(IndexQuery const& query, std::function<Result<bool>(std::uint64_t)> const& visit)
{
    auto asked = query;
    if (asked.terms.empty())
        asked.terms.push_back(term_of(TermKind::record, ""));
    auto const reading = TRY(state_->begin_reading());
    auto const count = state_->segments();
    Sieve sieve([&](std::uint32_t segment) { return state_->possible(segment, asked.terms); });
    for (auto i = state_->forgotten; i < count; ++i) {
        auto const segment = query.oldest_first ? i : count - 1 - (i - state_->forgotten);
        if (state_->first_of(segment) >= query.before.value_or(UINT64_MAX) || state_->end_of(segment) <= query.from || !overlaps(state_->times(segment), query))
            continue;
        if (TRY(sieve.lets_through(segment)) && !TRY(state_->visit_segment(segment, asked, visit)))
            return {};
    }
    return {};
}

Result<IndexedUses> Index::uses(Term term)
{
    IndexedUses found;
    std::unordered_map<std::uint64_t, std::size_t> known;
    auto const reading = TRY(state_->begin_reading());
    Sieve sieve([&](std::uint32_t segment) { return state_->possible(segment, { term }); });
    Bitmap numbers; // of one segment after another
    for (auto segment = state_->segments(); segment-- > state_->forgotten;) {
        if (!TRY(sieve.lets_through(segment)) || !TRY(state_->find_term(segment, term, numbers)))
            continue;
        auto const first = state_->first_of(segment);
        Bytes page;
        std::uint32_t page_number = 0;
        for (auto number = numbers.first_from(0); number < segment_records; number = numbers.first_from(number + 1)) {
            auto const group = TRY(state_->group(segment, number, page, page_number));
            auto const [place, is_new] = known.try_emplace(group.hash, found.uses.size());
            if (is_new && found.uses.size() == uses_max) {
                known.erase(place);
                found.is_cut = true;
                continue;
            }
            if (is_new)
                found.uses.push_back({ .hash = group.hash, .first = first + group.first, .last = first + group.last, .issuance = {}, .asserted = group.asserted });
            auto& use = found.uses[place->second];
            use.first = first + group.first; // segments come newest first
            if (!use.issuance && group.issuance != UseGroup::none)
                use.issuance = first + group.issuance;
            use.decisions += group.decisions;
            use.issuances += group.issuances;
        }
    }
    std::sort(found.uses.begin(), found.uses.end(), [](auto const& left, auto const& right) { return left.last > right.last; });
    return found;
}

} // namespace writ::audit
