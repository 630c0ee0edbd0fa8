// SPDX-License-Identifier: Apache-2.0
#include "replay/replay.h"

#include "replay/replay_worker.h"
#include "replay/single_decisions.h"

#include <algorithm>

namespace writ::replay {

namespace {

// LIMIT: groups whose first denial is explained: those that concern most requests. Each is held against all policies.
constexpr std::size_t explained_max = 100;

void explain(cedar::Engine const& draft, GroupedChange& grouped)
{
    auto const recorded = recorded_request(grouped.first_text, grouped.first_item);
    if (recorded.is_error())
        return;
    auto const front = entities_for(*recorded, draft.entities());
    grouped.change.missing = cedar::explain_denial(recorded->request, draft.policies(), front);
}

void explain_denials(cedar::Engine const& draft, Changes& changes)
{
    std::vector<Changes::value_type*> denied;
    for (auto& entry : changes)
        if (entry.first.kind == ChangeKind::denied)
            denied.push_back(&entry);
    std::ranges::stable_sort(denied, std::greater(), [](auto const* entry) { return entry->second.change.occurrences.count; });
    denied.resize(std::min(denied.size(), explained_max));
    for (auto* entry : denied)
        explain(draft, entry->second);
}

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

std::vector<std::pair<ChangeKey, Change>> ordered_changes(Report const& report)
{
    std::vector<std::pair<ChangeKey, Change>> changes(report.changes.begin(), report.changes.end());
    std::ranges::stable_sort(changes, [](auto const& left, auto const& right) {
        bool const is_left_less = left.first.kind == ChangeKind::policies, is_right_less = right.first.kind == ChangeKind::policies;
        return is_left_less != is_right_less ? is_right_less : left.second.occurrences.count > right.second.occurrences.count;
    });
    return changes;
}

Result<Report> replay(EntrySource const& source, cedar::Engine const& draft, Selection const& selection, std::size_t workers)
{
    auto const asked = asked_for(draft.policies());
    std::vector<std::unique_ptr<ReplayWorker>> all;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, workers); ++i)
        all.push_back(std::make_unique<ReplayWorker>(draft, asked, selection));
    TRY(visit_bundles(source, TRY(first_bundle_since(source, selection.since)), all.size(),
        [&](std::size_t worker, Bundle const& bundle) -> Result<> {
            for (std::size_t i = 0; i < bundle.entries.size(); ++i)
                all[worker]->look_at(bundle.first + i, bundle.entries[i]);
            return {};
        }));
    Report report;
    report.log_size = source.size();
    report.dropped_before = TRY(first_kept(source));
    Changes changes;
    for (auto const& worker : all)
        worker->add_to(report, changes);
    explain_denials(draft, changes);
    for (auto& [key, grouped] : changes)
        report.changes.emplace(key, std::move(grouped.change));
    return report;
}

} // namespace writ::replay
