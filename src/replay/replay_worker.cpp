// SPDX-License-Identifier: Apache-2.0
#include "replay/replay_worker.h"

#include "replay/single_decisions.h"
#include "replay/withheld.h"

#include <algorithm>

namespace writ::replay {

namespace {

// LIMIT: lists of policies that are remembered.
constexpr std::size_t named_max = 10'000;
// LIMIT: reasons that are told apart.
constexpr std::size_t reasons_max = 100;

void merge(GroupedChange& into, GroupedChange more)
{
    auto& known = into.change.occurrences;
    if (known.count == 0 || more.change.occurrences.examples.front() < known.examples.front()) {
        into.first_text = std::move(more.first_text);
        into.first_item = std::move(more.first_item);
    }
    known.add(more.change.occurrences);
}

} // namespace

ReplayWorker::ReplayWorker(cedar::Engine const& draft, AskedFor const& asked, Selection const& selection)
    : draft_(draft)
    , decider_(draft)
    , asked_(asked)
    , decides_each_(asked.has_context("time") || asked.has_context("run"))
    , since_(selection.since ? to_rfc3339(*selection.since) : std::string())
    , workload_(selection.workload)
    , builder_(draft.entities(), asked)
{
    auto const& policies = draft.policies().policies();
    for (std::uint32_t i = 0; i < policies.size(); ++i)
        draft_ids_.emplace(policies[i]->id, i);
}

bool ReplayWorker::is_selected(RecordView const& view) const
{
    // Times in records have one length and are in UTC: their order is that of their texts.
    if (!since_.empty() && plain_text(view.time).value_or("") < since_)
        return false;
    return workload_.empty() || plain_text(view.workload) == workload_ || plain_text(view.workload_name) == workload_;
}

void ReplayWorker::look_at(std::uint64_t sequence, std::string_view text)
{
    ++tally_.records;
    auto const view = view_record(text);
    if (!view)
        ++*unjudged("not a record as Writ writes them");
    if (!view || !view->is_decision() || !is_selected(*view))
        return;
    bool const is_well_formed
        = for_each_decision(*view, [&](RecordView const& one, std::string_view item) { look_at(sequence, one, { text, item }); });
    if (!is_well_formed)
        ++*unjudged("not a record as Writ writes them");
}

void ReplayWorker::look_at(std::uint64_t sequence, RecordView const& view, Text text)
{
    if (decides_each_) {
        count(decide(view, text), sequence, text);
        return;
    }
    auto const [place, is_new] = kinds_.find(view, asked_, key_);
    if (is_new)
        *place = decide(view, text);
    count(*place, sequence, text);
}

ReplayWorker::Place ReplayWorker::decide(RecordView const& view, Text text)
{
    ++tally_.kinds;
    auto const* const request = builder_.build(view);
    if (request == nullptr)
        return decide_strictly(view, text);
    return compare(view, *request, decider_.decide(*request, builder_.front()));
}

ReplayWorker::Place ReplayWorker::decide_strictly(RecordView const& view, Text text)
{
    auto const recorded = recorded_request(text.record, text.item);
    if (recorded.is_error())
        return { nullptr, unjudged(recorded.error().message) };
    auto const front = entities_for(*recorded, draft_.entities());
    std::string missing;
    for (auto const& withheld : asked_and_withheld(recorded->withheld, recorded->request, draft_.policies(), front))
        missing += (missing.empty() ? "a policy asks for what the log does not have: " : ", ") + to_string(withheld);
    if (!missing.empty())
        return { nullptr, unjudged(missing) };
    return compare(view, recorded->request, decider_.decide(recorded->request, &front));
}

ReplayWorker::Place ReplayWorker::compare(RecordView const& view, cedar::Request const& request, cedar::Verdict const& verdict)
{
    auto const& named = named_policies(view.policies);
    bool const was_allowed = view.decision == "\"allow\"";
    if (was_allowed == verdict.allowed && are_same(named, verdict))
        return {};
    auto key = key_of(view, request, verdict, named);
    auto known = changes_.find(key);
    if (known == changes_.end() && changes_.size() == groups_max)
        return { key.kind == ChangeKind::policies ? &policies_beyond_groups_ : &beyond_groups_, nullptr };
    if (known == changes_.end())
        known = changes_.emplace(std::move(key), GroupedChange()).first;
    return { &known->second, nullptr };
}

ReplayWorker::NamedPolicies const& ReplayWorker::named_policies(std::string_view list)
{
    auto known = named_.find(list);
    if (known != named_.end())
        return known->second;
    if (named_.size() == named_max)
        named_.clear();
    NamedPolicies named;
    auto const parsed = list.empty() ? Result<JsonValue>(JsonArray()) : parse_json(list, { .size_max = list.size() });
    if (parsed.is_ok() && parsed->is_array())
        for (auto const& id : parsed->as_array())
            named.ids.emplace_back(id.is_string() ? std::string_view(id.as_string()) : "");
    named.is_cut = std::erase_if(named.ids, [](std::string const& id) { return id.ends_with(cut_mark); }) > 0;
    std::ranges::sort(named.ids);
    for (auto const& id : named.ids)
        if (auto const found = draft_ids_.find(id); found != draft_ids_.end())
            named.in_draft.push_back(found->second);
    std::ranges::sort(named.in_draft);
    return named_.emplace(std::string(list), std::move(named)).first->second;
}

bool ReplayWorker::are_same(NamedPolicies const& named, cedar::Verdict const& verdict)
{
    if (named.in_draft.size() != named.ids.size())
        return false;
    return named.is_cut ? std::ranges::includes(verdict.determining, named.in_draft) : std::ranges::equal(verdict.determining, named.in_draft);
}

ChangeKey ReplayWorker::key_of(
    RecordView const& view, cedar::Request const& request, cedar::Verdict const& verdict, NamedPolicies const& named) const
{
    bool const was_allowed = view.decision == "\"allow\"";
    ChangeKey key;
    key.kind = was_allowed == verdict.allowed ? ChangeKind::policies : was_allowed ? ChangeKind::denied : ChangeKind::allowed;
    key.before = named.ids;
    for (auto const index : verdict.determining)
        key.after.push_back(draft_.policies().policies()[index]->id);
    std::ranges::sort(key.after);
    key.action = request.action.id;
    key.resource = request.resource;
    auto const name = view.workload_name.empty() ? Result<JsonValue>(not_found("")) : parse_json(view.workload_name, { .size_max = view.workload_name.size() });
    key.workload = name.is_ok() && name->is_string() ? std::string(name->as_string()) : request.principal.id;
    return key;
}

void ReplayWorker::count(Place const& place, std::uint64_t sequence, Text text)
{
    if (place.unjudged != nullptr) {
        ++*place.unjudged;
        return;
    }
    ++tally_.decisions;
    if (place.change == nullptr)
        return;
    auto& occurrences = place.change->change.occurrences;
    if (occurrences.count == 0 || sequence < occurrences.examples.front()) {
        place.change->first_text = text.record;
        place.change->first_item = text.item;
    }
    occurrences.add(sequence);
}

std::uint64_t* ReplayWorker::unjudged(std::string const& why)
{
    bool const has_room = tally_.unjudged.contains(why) || tally_.unjudged.size() < reasons_max;
    return &tally_.unjudged[has_room ? why : "other reasons"];
}

void ReplayWorker::add_to(Report& report, Changes& changes)
{
    report.records += tally_.records;
    report.decisions += tally_.decisions;
    report.kinds += tally_.kinds;
    for (auto const& [why, count] : tally_.unjudged)
        report.unjudged[why] += count;
    auto const other = beyond_groups_.change.occurrences.count, other_policies = policies_beyond_groups_.change.occurrences.count;
    report.changed += other;
    report.other_policies += other_policies;
    report.beyond_groups += other + other_policies;
    for (auto& [key, change] : changes_) {
        auto const count = change.change.occurrences.count;
        (key.kind == ChangeKind::policies ? report.other_policies : report.changed) += count;
        if (!changes.contains(key) && changes.size() == groups_max)
            report.beyond_groups += count;
        else
            merge(changes[key], std::move(change));
    }
}

} // namespace writ::replay
