// SPDX-License-Identifier: Apache-2.0
#include "replay/replay.h"

#include <algorithm>

namespace writ::replay {

namespace {

void add_change(Report& report, ChangeKey key, Change change)
{
    (key.kind == ChangeKind::policies ? report.other_policies : report.changed) += change.occurrences.count;
    auto const known = report.changes.find(key);
    if (known == report.changes.end() && report.changes.size() == groups_max) {
        report.beyond_groups += change.occurrences.count;
    } else if (known == report.changes.end()) {
        report.changes.emplace(std::move(key), std::move(change));
    } else {
        if (change.occurrences.examples.front() < known->second.occurrences.examples.front())
            known->second.missing = std::move(change.missing);
        known->second.occurrences.add(change.occurrences);
    }
}

ChangeKind kind_of(bool was_allowed, bool is_allowed)
{
    if (was_allowed == is_allowed)
        return ChangeKind::policies;
    return was_allowed ? ChangeKind::denied : ChangeKind::allowed;
}

void compare(Report& report, cedar::Engine const& draft, Kind const& kind, Outcome const& outcome)
{
    std::vector<std::string> after;
    for (auto const index : outcome.determining)
        after.push_back(draft.policies().policies()[index]->id);
    std::ranges::sort(after);
    auto before = kind.record.policies;
    std::ranges::sort(before);
    if (*kind.record.allowed == outcome.allowed && before == after)
        return;
    auto const change = kind_of(*kind.record.allowed, outcome.allowed);
    Change made { outcome.occurrences, {} };
    if (change == ChangeKind::denied)
        made.missing = cedar::explain_denial(kind.request, draft.policies(), *kind.front);
    auto const& name = kind.record.workload_name.empty() ? kind.record.workload : kind.record.workload_name;
    add_change(report, { change, std::move(before), std::move(after), kind.record.action, kind.request.resource, name }, std::move(made));
}

class Worker {
public:
    Worker(cedar::Engine const& draft, AskedFor const& asked, Selection const& selection)
        : draft_(draft)
        , kinds_(draft, asked, selection)
    {
    }

    void look_at(Bundle const& bundle)
    {
        for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
            kinds_.look_at(bundle.first + i, bundle.entries[i]);
            // They are counted and forgotten, and decided again if they come again.
            if (kinds_.is_full())
                fold();
        }
    }

    void add_to(Report& all)
    {
        fold();
        auto const& tally = kinds_.tally();
        all.records += tally.records;
        all.decisions += tally.decisions;
        all.kinds += tally.kinds;
        all.beyond_groups += report_.beyond_groups;
        auto const changed = all.changed + report_.changed, other_policies = all.other_policies + report_.other_policies;
        for (auto& [key, change] : report_.changes)
            add_change(all, key, std::move(change));
        all.changed = changed; // with those that are in no group
        all.other_policies = other_policies;
        for (auto const& [why, count] : tally.unjudged)
            all.unjudged[why] += count;
    }

private:
    void fold()
    {
        for (auto const& kind : kinds_.take())
            for (auto const& outcome : kind.outcomes)
                compare(report_, draft_, kind, outcome);
    }

    cedar::Engine const& draft_;
    Kinds kinds_;
    Report report_;
};

} // namespace

std::string_view to_string(ChangeKind kind)
{
    switch (kind) {
    case ChangeKind::denied: return "would be denied";
    case ChangeKind::allowed: return "would be allowed";
    case ChangeKind::policies: return "by other policies";
    }
    return "";
}

std::uint64_t Report::count(ChangeKind kind) const
{
    std::uint64_t count = 0;
    for (auto const& [key, change] : changes)
        count += key.kind == kind ? change.occurrences.count : 0;
    return count;
}

Result<Report> replay(EntrySource const& source, cedar::Engine const& draft, Selection const& selection, std::size_t workers)
{
    auto const asked = asked_for(draft.policies());
    std::vector<std::unique_ptr<Worker>> all;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, workers); ++i)
        all.push_back(std::make_unique<Worker>(draft, asked, selection));
    TRY(visit_bundles(source, TRY(first_bundle_since(source, selection.since)), all.size(),
        [&](std::size_t worker, Bundle const& bundle) -> Result<> {
            all[worker]->look_at(bundle);
            return {};
        }));
    Report report;
    report.log_size = source.size();
    for (auto const& worker : all)
        worker->add_to(report);
    return report;
}

} // namespace writ::replay
