// SPDX-License-Identifier: Apache-2.0
#include "replay/kinds.h"

#include "replay/single_decisions.h"
#include "replay/withheld.h"
#include "vocabulary/facts.h"

#include <algorithm>

namespace writ::replay {

namespace {

// LIMIT: reasons that are told apart.
constexpr std::size_t reasons_max = 100;

Outcome& outcome_of(Kind& kind, cedar::Verdict const& verdict)
{
    for (auto& outcome : kind.outcomes)
        if (outcome.allowed == verdict.allowed && std::ranges::equal(outcome.determining, verdict.determining))
            return outcome;
    return kind.outcomes.emplace_back(Outcome { verdict.allowed, { verdict.determining.begin(), verdict.determining.end() }, {} });
}

std::uint64_t first_record(Kind const& kind)
{
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max();
    for (auto const& outcome : kind.outcomes)
        first = std::min(first, outcome.occurrences.examples.front());
    return first;
}

} // namespace

void Occurrences::add(std::uint64_t sequence)
{
    ++count;
    if (examples.size() == examples_max && sequence > examples.back())
        return;
    examples.insert(std::ranges::lower_bound(examples, sequence), sequence);
    examples.resize(std::min(examples.size(), examples_max));
}

void Occurrences::add(Occurrences const& more)
{
    auto const sum = count + more.count;
    for (auto const sequence : more.examples)
        add(sequence);
    count = sum;
}

Kinds::Kinds(cedar::Engine const& engine, AskedFor const& asked, Selection const& selection)
    : engine_(engine)
    , decider_(engine)
    , asked_(asked)
    , asks_for_time_(asked.has_context("time"))
    , since_(selection.since ? to_rfc3339(*selection.since) : std::string())
    , workload_(selection.workload)
{
}

bool Kinds::is_selected(RecordView const& view) const
{
    // Times in records have one length and are in UTC: their order is that of their texts.
    if (!since_.empty() && plain_text(view.time).value_or("") < since_)
        return false;
    return workload_.empty() || plain_text(view.workload) == workload_ || plain_text(view.workload_name) == workload_;
}

void Kinds::look_at(std::uint64_t sequence, std::string_view text)
{
    ++tally_.records;
    auto const view = view_record(text);
    if (!view)
        add_unjudged("not a record as Writ writes them");
    if (!view || !view->is_decision() || !is_selected(*view))
        return;
    bool const is_well_formed
        = for_each_decision(*view, [&](RecordView const& one, std::string_view item) { look_at(sequence, one, text, item); });
    if (!is_well_formed)
        add_unjudged("not a record as Writ writes them");
}

void Kinds::look_at(std::uint64_t sequence, RecordView const& view, std::string_view text, std::string_view item)
{
    write_key(key_, view, asked_);
    auto found = kinds_.find(std::string_view(key_));
    if (found == kinds_.end()) {
        if (is_full())
            return;
        ++tally_.kinds;
        found = kinds_.emplace(key_, kind_of(text, item)).first;
    }
    decide(found->second, view, sequence);
}

Kind Kinds::kind_of(std::string_view text, std::string_view item) const
{
    Kind kind;
    auto record = audit::parse_record(text);
    auto const applied = record.is_ok() && !item.empty() ? apply_item(*record, item) : Result<>();
    auto recorded = record.is_error() ? Result<RecordedRequest>(record.error())
        : applied.is_error()          ? Result<RecordedRequest>(applied.error())
                                      : recorded_request(*record);
    if (recorded.is_error()) {
        kind.unjudged = recorded.error().message;
        return kind;
    }
    kind.record = std::move(record).value();
    kind.front = std::make_unique<cedar::EntityStore>(entities_for(*recorded, engine_.entities()));
    kind.request = std::move(recorded->request);
    for (auto const& withheld : asked_and_withheld(recorded->withheld, kind.request, engine_.policies(), *kind.front))
        kind.unjudged += (kind.unjudged.empty() ? "a policy asks for what the log does not have: " : ", ") + to_string(withheld);
    return kind;
}

void Kinds::decide(Kind& kind, RecordView const& view, std::uint64_t sequence)
{
    if (!kind.unjudged.empty()) {
        add_unjudged(kind.unjudged);
        return;
    }
    ++tally_.decisions;
    if (!asks_for_time_ && !kind.outcomes.empty()) {
        kind.outcomes.front().occurrences.add(sequence);
        return;
    }
    if (asks_for_time_ && !kind.outcomes.empty()) {
        auto const time = parse_rfc3339(plain_text(view.time).value_or(""));
        if (time.is_error()) {
            --tally_.decisions;
            add_unjudged("not a record as Writ writes them");
            return;
        }
        kind.request.context.insert_or_assign("time", vocabulary::time_value(*time));
    }
    auto const verdict = decider_.decide(kind.request, kind.front.get());
    outcome_of(kind, verdict).occurrences.add(sequence);
}

void Kinds::add_unjudged(std::string const& why)
{
    bool const has_room = tally_.unjudged.contains(why) || tally_.unjudged.size() < reasons_max;
    ++tally_.unjudged[has_room ? why : "other reasons"];
}

std::vector<Kind> Kinds::take()
{
    std::vector<Kind> taken;
    taken.reserve(kinds_.size());
    for (auto& [key, kind] : kinds_)
        if (!kind.outcomes.empty())
            taken.push_back(std::move(kind));
    kinds_.clear();
    std::ranges::sort(taken, {}, first_record);
    return taken;
}

} // namespace writ::replay
