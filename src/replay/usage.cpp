// SPDX-License-Identifier: Apache-2.0
#include "replay/usage.h"

#include <algorithm>

namespace writ::replay {

namespace {

using cedar::Effect;

// As many as a policy's text can name with sense.
constexpr std::size_t principals_max = 10'000;

bool is_declared(Declared const& declared, std::string const& name)
{
    return std::ranges::any_of(declared.workloads, [&](auto const& workload) { return workload.name == name; });
}

void add_principal(Subject& subject, Kind const& kind)
{
    if (!kind.record.pipeline.empty())
        subject.pipelines.insert(kind.record.pipeline);
    auto const* const seen = kind.front->find(kind.request.principal);
    bool const is_known = std::ranges::any_of(
        subject.principals, [&](auto const& known) { return known.uid == seen->uid && known.parents == seen->parents; });
    if (is_known || subject.principals.size() == principals_max)
        return;
    subject.principals.push_back(*seen);
    subject.principals.back().tags.clear();
}

// One permit for each use is enough: the narrowest set has no second reason for anything.
std::uint32_t permit_for(Usage const& usage, Outcome const& outcome, UseKey const& key)
{
    for (auto const permit : outcome.determining)
        if (auto const known = usage.by_permit.find(permit); known != usage.by_permit.end() && known->second.contains(key))
            return permit;
    return outcome.determining.front();
}

void add_kind(Usage& usage, Kind const& kind)
{
    add_principal(usage.subject, kind);
    if (!*kind.record.allowed)
        return;
    UseKey const key { kind.record.action, kind.request.resource, kind.record.purpose };
    for (auto const& outcome : kind.outcomes) {
        if (outcome.allowed)
            usage.by_permit[permit_for(usage, outcome, key)][key].add(outcome.occurrences);
        else
            usage.lost[key].add(outcome.occurrences);
    }
}

} // namespace

Result<Usage> usage_of(EntrySource const& source, cedar::Engine const& today, Declared const& declared, Selection const& selection)
{
    auto const asked = asked_for(today.policies());
    Kinds kinds(today, asked, selection);
    TRY(visit_bundles(source, TRY(first_bundle_since(source, selection.since)), 1, [&](std::size_t, Bundle const& bundle) -> Result<> {
        for (std::size_t i = 0; i < bundle.entries.size(); ++i) {
            kinds.look_at(bundle.first + i, bundle.entries[i]);
            if (kinds.is_full())
                return resource_exhausted("more than " + std::to_string(kinds_max) + " kinds of requests; --since takes fewer");
        }
        return {};
    }));
    Usage usage;
    usage.tally = kinds.tally();
    usage.dropped_before = TRY(first_kept(source));
    usage.subject.name = selection.workload;
    usage.subject.is_id = !is_declared(declared, selection.workload) && selection.workload.starts_with("spiffe://");
    for (auto const& kind : kinds.take())
        add_kind(usage, kind);
    if (usage.subject.principals.empty())
        return not_found("no recorded decision about workload `" + selection.workload + "` in that time");
    return usage;
}

} // namespace writ::replay
