// SPDX-License-Identifier: Apache-2.0
#include "authority/revocation_targets.h"

#include "authority/field_reader.h"

#include <algorithm>
#include <iterator>

namespace writ::authority {

namespace {

using Names = std::set<std::string, std::less<>>;

// LIMIT: far above the leases and runs that one authority has; bounds what one question reads.
constexpr std::size_t leases_max = 1'000'000;
constexpr std::size_t runs_max = 100'000;

bool is_id(std::string_view name) { return name.starts_with("spiffe://"); }

template <typename T> Names names_of(DeclaredByName<T> const& declared)
{
    Names names;
    for (auto const& entry : declared)
        names.insert(entry.first);
    return names;
}

Error unknown(std::string_view kind, std::string const& name, Names const& known)
{
    auto message = "no " + std::string(kind) + " `" + name + "` is known";
    if (auto const nearest = nearest_name(name, known); !nearest.empty())
        message += "; did you mean `" + std::string(nearest) + "`?";
    return not_found(std::move(message));
}

net::Task<Result<bool>> is_on_record(AuthorityState& state, audit::RecordFilter filter)
{
    using Found = Result<std::vector<audit::StoredRecord>>;
    filter.limit = 1;
    auto* const log = state.audit.get();
    auto found = co_await net::await_callback<Found>([log, &filter](net::Completion<Found> done) { log->query(filter, std::move(done)); });
    auto const records = CO_TRY(found);
    co_return !records.empty();
}

// Those of ids without claims in them.
std::set<std::string> declared_ids(Snapshot const& snapshot, std::string const& name)
{
    std::set<std::string> ids;
    for (auto const& [declared, workload] : snapshot.declarations.workloads)
        if ((name.empty() || declared == name) && workload.value.id_template.find('{') == std::string::npos)
            ids.insert(workload.value.id_template);
    return ids;
}

// What is live, or what any run was that the store has.
Result<std::set<std::string>> kept_ids(AuthorityState& state, std::string const& name, bool live_only)
{
    std::set<std::string> ids, others;
    for (auto const& run : TRY(live_only ? state.store.runs->live_runs("") : state.store.runs->newest_runs(runs_max)))
        (run.workload_name == name || run.workload == name ? ids : others).insert(run.workload);
    store::LeaseFilter filter { .open_only = true, .limit = leases_max };
    if (is_id(name)) {
        filter.workload = name;
        filter.limit = 1;
    }
    for (auto const& lease : TRY(state.store.leases->list(filter))) {
        if (ids.contains(lease.workload) || others.contains(lease.workload))
            continue;
        bool const is_meant = lease.workload == name || principal_of_id(*state.snapshot, lease.workload).name == name;
        (is_meant ? ids : others).insert(lease.workload);
    }
    return ids;
}

net::Task<Result<>> check_resource(AuthorityState& state, std::string kind, std::string type, std::string name, Names declared)
{
    // A version is known where its resource is: it may be declared no more, and read all the same.
    if (declared.contains(name.substr(0, name.find('@'))))
        co_return Result<>();
    audit::RecordFilter filter;
    filter.resource = type + "::" + name;
    auto recorded = co_await is_on_record(state, std::move(filter));
    if (!CO_TRY(recorded))
        co_return unknown(kind, name, declared);
    co_return Result<>();
}

net::Task<Result<>> check_credential(AuthorityState& state, RevocationTarget target)
{
    if (state.store.leases->find(target.credential).is_ok())
        co_return Result<>();
    auto listed = state.store.leases->list({ .open_only = true, .limit = leases_max });
    auto const open = CO_TRY(listed);
    if (std::ranges::any_of(open, [&target](auto const& lease) { return lease.credential == target.credential; }))
        co_return Result<>();
    auto live = co_await live_credentials(state, target);
    auto const found = CO_TRY(live);
    if (found.found.empty())
        co_return not_found("no live credential `" + target.credential + "` is known");
    co_return Result<>();
}

net::Task<Result<>> check_known(AuthorityState& state, RevocationTarget target)
{
    auto const& declared = state.snapshot->declarations;
    if (!target.dataset.empty())
        return check_resource(state, "dataset", "Dataset", target.dataset, names_of(declared.datasets));
    if (!target.model.empty())
        return check_resource(state, "model", "Model", target.model, names_of(declared.models));
    return check_credential(state, std::move(target));
}

Result<> add_ended(AuthorityState& state, std::string const& name, std::set<std::string>& ids)
{
    ids.merge(TRY(kept_ids(state, name, false)));
    return {};
}

} // namespace

net::Task<Result<std::set<std::string>>> workload_ids(AuthorityState& state, std::string name)
{
    auto const snapshot = state.snapshot;
    auto kept = kept_ids(state, name, true);
    auto ids = CO_TRY(kept);
    bool is_known = !ids.empty() || snapshot->declarations.workloads.contains(name) || declared_ids(*snapshot, "").contains(name);
    if (!is_known) {
        audit::RecordFilter filter;
        filter.workload = name;
        auto recorded = co_await is_on_record(state, std::move(filter));
        is_known = CO_TRY(recorded);
    }
    if (!is_known) {
        auto known = names_of(snapshot->declarations.workloads);
        if (is_id(name))
            std::ranges::copy(declared_ids(*snapshot, ""), std::inserter(known, known.end()));
        co_return unknown("workload", name, known);
    }
    if (is_id(name))
        co_return std::set { name };
    ids.merge(declared_ids(*snapshot, name));
    auto live = co_await live_credentials(state, { .workload = name });
    auto const known = CO_TRY(live);
    for (auto const& credential : known.found)
        ids.insert(credential.workload);
    co_return ids;
}

net::Task<Result<std::vector<RevocationTarget>>> known_targets(AuthorityState& state, RevocationTarget target)
{
    std::vector<RevocationTarget> targets;
    if (!target.workload.empty()) {
        auto found = co_await workload_ids(state, target.workload);
        for (auto const& id : CO_TRY(found))
            targets.push_back({ .workload = id });
        if (targets.empty()) // nothing of it lives, and that somebody wanted it ended is on record all the same
            targets.push_back(std::move(target));
        co_return targets;
    }
    // Runs and nodes are looked up where they are ended.
    if (target.run.empty() && target.node.empty()) {
        auto const known = co_await check_known(state, target);
        if (known.is_error())
            co_return known.error();
    }
    targets.push_back(std::move(target));
    co_return targets;
}

net::Task<Result<LeasePage>> leases_of(AuthorityState& state, store::LeaseFilter filter)
{
    LeasePage page;
    auto const limit = filter.limit;
    ++filter.limit; // one more tells that there are more
    if (filter.workload.empty()) {
        auto listed = state.store.leases->list(filter);
        page.leases = CO_TRY(listed);
    } else {
        auto const name = filter.workload;
        auto found = co_await workload_ids(state, name);
        page.workloads = CO_TRY(found);
        auto const added = filter.open_only ? Result<>() : add_ended(state, name, page.workloads);
        if (added.is_error())
            co_return added.error();
        for (auto const& id : page.workloads) {
            filter.workload = id;
            auto listed = state.store.leases->list(filter);
            auto leases = CO_TRY(listed);
            std::ranges::move(leases, std::back_inserter(page.leases));
        }
        std::ranges::stable_sort(page.leases, std::ranges::greater(), &identity::Lease::created);
    }
    page.is_cut = page.leases.size() > limit;
    page.leases.resize(std::min(page.leases.size(), limit));
    co_return page;
}

} // namespace writ::authority
