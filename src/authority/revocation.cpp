// SPDX-License-Identifier: Apache-2.0
#include "authority/revocation.h"

#include "identity/workload.h"

#include <algorithm>

namespace writ::authority {

namespace {

constexpr std::size_t page_records = 1000;

bool is_meant(RevocationTarget const& target, std::string const& id) { return target.credential.empty() || target.credential == id; }

// A resource and its versions, or one of them.
bool is_resource(std::string_view type, std::string const& name, identity::Lease const& lease)
{
    if (name.empty())
        return true;
    bool const is_version = lease.resource_type == std::string(type) + "Version" && (lease.resource_id == name || lease.resource_id.starts_with(name + "@"));
    return is_version || (lease.resource_type == type && lease.resource_id == name);
}

bool is_meant(RevocationTarget const& target, identity::Lease const& lease)
{
    return is_resource("Dataset", target.dataset, lease) && is_resource("Model", target.model, lease) && (is_meant(target, lease.id) || is_meant(target, lease.credential));
}

audit::RecordFilter filter_of(RevocationTarget const& target)
{
    audit::RecordFilter filter;
    filter.type = audit::RecordType::issuance;
    filter.run = target.run;
    filter.workload = target.workload;
    if (!target.dataset.empty())
        filter.resource = "Dataset::" + target.dataset;
    if (!target.model.empty())
        filter.resource = "Model::" + target.model;
    filter.limit = page_records;
    return filter;
}

void append_live(std::vector<LiveCredential>& live, audit::Record const& record, RevocationTarget const& target, Timestamp now)
{
    auto const& credential = record.credential;
    if (!target.node.empty() && record.caller != target.node)
        return;
    if (!credential || !credential->lease.empty() || !credential->expires || *credential->expires <= now || !is_meant(target, credential->id))
        return;
    // A session opens several things, and has a record for each.
    if (std::any_of(live.begin(), live.end(), [&](auto const& known) { return known.id == credential->id && known.kind == credential->kind; }))
        return;
    live.push_back({ credential->kind, credential->id, credential->scope, record.workload, record.run, record.caller, *credential->expires });
}

net::Task<Result<>> end_runs(AuthorityState& state, RunRegistry& registry, RevocationTarget target, std::string caller, std::string reason, Revocation& done)
{
    std::vector<std::string> runs;
    if (!target.run.empty()) {
        auto const found = state.store.runs->find(target.run);
        if (found.is_error())
            co_return found.error();
        if (!found->ended)
            runs.push_back(target.run);
    } else if (!target.workload.empty() || !target.node.empty()) {
        auto listed = state.store.runs->live_runs(target.node);
        for (auto const& run : CO_TRY(listed)) {
            if (target.workload.empty() || run.workload == target.workload)
                runs.push_back(run.id);
        }
    }
    for (auto const& run : runs) {
        auto ended = co_await registry.end(run, "", caller, reason);
        done.runs.push_back(run);
        if (ended.is_error())
            continue; // its leases are asked for once more below, and named
        done.leases.insert(done.leases.end(), ended->begin(), ended->end());
    }
    co_return Result<>();
}

net::Task<Result<>> take_back_leases(LeaseKeeper& keeper, RevocationTarget target, std::string caller, std::string reason, Revocation& done)
{
    if (!target.node.empty())
        co_return Result<>(); // leases are of its runs, which have ended
    auto const meant = [&target](identity::Lease const& lease) { return is_meant(target, lease); };
    auto taken = co_await keeper.take_back_all({ .run = target.run, .workload = target.workload }, meant, caller, reason);
    auto const all = CO_TRY(taken);
    done.leases.insert(done.leases.end(), all.ended.begin(), all.ended.end());
    done.late = all.late;
    co_return Result<>();
}

std::string words_of(RevocationTarget const& target)
{
    if (!target.run.empty())
        return "run " + target.run;
    if (!target.workload.empty())
        return "workload " + target.workload;
    if (!target.model.empty())
        return "model " + target.model;
    if (!target.node.empty())
        return "node " + target.node;
    return target.dataset.empty() ? "credential " + target.credential : "dataset " + target.dataset;
}

// SECURITY: before its runs are ended, or it would begin others meanwhile.
Result<> ban(AuthorityState& state, std::string const& node)
{
    auto agent = TRY(state.store.agents->find(node));
    agent.banned = true;
    return state.store.agents->add(agent);
}

audit::Record record_of(RevocationTarget const& target, Revocation const& done, std::string const& caller, std::string const& reason, Timestamp now)
{
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.time = now;
    record.caller = caller;
    record.run = target.run;
    record.workload = target.workload;
    record.action = "administer";
    if (!target.dataset.empty())
        record.resource = audit::RecordedEntity { "Dataset", target.dataset, "", "" };
    if (!target.model.empty())
        record.resource = audit::RecordedEntity { "Model", target.model, "", "" };
    record.outcome = "ok";
    auto const& [live, unknown] = done.remaining;
    record.reason = "revoked " + words_of(target) + ": " + std::to_string(done.runs.size()) + " runs ended, " + std::to_string(done.leases.size()) + " leases ended, "
        + std::to_string(done.late.size()) + " still to end, " + std::to_string(live.size()) + " credentials live on"
        + (live.empty() ? "" : " until " + to_rfc3339(live.front().expires))
        + (unknown ? ", and any that were issued before " + to_rfc3339(*unknown) + ": there were too many to look at" : "") + "; " + reason;
    return record;
}

} // namespace

net::Task<Result<LiveCredentials>> live_credentials(AuthorityState& state, RevocationTarget target, std::size_t issuances_max)
{
    using Found = Result<std::vector<audit::StoredRecord>>;
    auto const now = state.clock.now();
    auto filter = filter_of(target);
    filter.limit = std::min(filter.limit, issuances_max);
    LiveCredentials live;
    for (std::size_t seen = 0;;) {
        auto* const log = state.audit.get();
        auto found = co_await net::await_callback<Found>([log, &filter](net::Completion<Found> done) { log->query(filter, std::move(done)); });
        auto const records = CO_TRY(found);
        for (auto const& stored : records)
            append_live(live.found, stored.record, target, now);
        if (records.size() < filter.limit || records.back().record.time + identity::svid_lifetime_max < now)
            break;
        filter.before = records.back().sequence;
        seen += records.size();
        if (seen >= issuances_max) {
            live.unknown_before = records.back().record.time;
            break;
        }
    }
    std::stable_sort(live.found.begin(), live.found.end(), [](auto const& one, auto const& other) { return one.expires > other.expires; });
    co_return live;
}

net::Task<Result<Revocation>> revoke(AuthorityState& state, LeaseKeeper& keeper, RunRegistry& registry, RevocationTarget target, std::string caller, std::string reason)
{
    Revocation done;
    if (!target.node.empty()) {
        auto const banned = ban(state, target.node);
        if (banned.is_error())
            co_return banned.error();
        done.is_node_banned = true;
    }
    if (!target.workload.empty()) {
        // Together, and not run after run. What a run is given meanwhile ends with it.
        auto const first = co_await take_back_leases(keeper, target, caller, reason, done);
        if (first.is_error())
            co_return first.error();
    }
    auto const ended = co_await end_runs(state, registry, target, caller, reason, done);
    if (ended.is_error())
        co_return ended.error();
    auto const taken = co_await take_back_leases(keeper, target, caller, reason, done);
    if (taken.is_error())
        co_return taken.error();
    state.changed.notify();
    auto live = co_await live_credentials(state, target);
    done.remaining = CO_TRY(live);
    auto appended = co_await append_record(state, record_of(target, done, caller, reason, state.clock.now()));
    if (appended.is_error())
        co_return appended.error();
    co_return done;
}

JsonValue unknown_before(LiveCredentials const& live) { return live.unknown_before ? JsonValue(to_rfc3339(*live.unknown_before)) : JsonValue(nullptr); }

JsonArray to_json(std::vector<LiveCredential> const& live)
{
    JsonArray array;
    for (auto const& credential : live)
        array.push_back(JsonObject { { "kind", credential.kind }, { "id", credential.id }, { "scope", credential.scope }, { "workload", credential.workload },
            { "run", credential.run }, { "node", credential.node }, { "expires", to_rfc3339(credential.expires) } });
    return array;
}

} // namespace writ::authority
