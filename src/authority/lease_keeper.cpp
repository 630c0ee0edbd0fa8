// SPDX-License-Identifier: Apache-2.0
#include "authority/lease_keeper.h"

#include "authority/credential_source.h"
#include "authority/lease_reason.h"
#include "authority/withdrawal.h"
#include "base/logger.h"
#include "net/wait_for_all.h"

#include <algorithm>

namespace writ::authority {

namespace {

// LIMIT: a run has 100 uses, with one credential each.
constexpr std::size_t run_issuances_max = 200;

// LIMIT: leases in memory while many are taken back, and how many of them at the same time: as many requests as are sent to one system.
constexpr std::size_t page_leases = 1000;
constexpr std::size_t at_once_max = 16;

audit::RecordedCredential recorded(identity::Lease const& lease)
{
    return { lease.kind, lease.credential, lease.scope, lease.id, lease.expires };
}

audit::Record revocation_of(identity::Lease const& lease, std::string const& caller, Timestamp now)
{
    audit::Record record;
    record.type = audit::RecordType::revocation;
    record.time = now;
    record.caller = caller;
    record.workload = lease.workload;
    record.run = lease.run;
    record.action = lease.action;
    record.resource = audit::RecordedEntity { lease.resource_type, lease.resource_id, "", "" };
    record.credential = recorded(lease);
    record.decision = known_record(lease.decision);
    record.outcome = "ok";
    record.reason = lease.reason;
    return record;
}

// No revocation: what was given out may be there for as long as its system lets it.
audit::Record abandonment_of(identity::Lease const& lease, std::string const& caller, std::string const& reason, Timestamp now)
{
    auto record = revocation_of(lease, caller, now);
    record.type = audit::RecordType::administration;
    record.action = "administer";
    record.outcome = "abandoned";
    record.reason = "lease " + lease.id + " is not taken back any more, and its credential may be there still; to be taken back since "
        + (lease.revoking ? to_rfc3339(*lease.revoking) : std::string("an unknown time")) + "; last: " + last_error_of(lease) + "; " + reason;
    return record;
}

} // namespace

// Marks a lease as somebody's for as long as it lives, which may be longer than the keeper does: a task that waits dies with its loop.
class LeaseKeeper::InHand {
public:
    InHand(std::shared_ptr<Hands> hands, std::string id)
        : hands_(std::move(hands))
        , id_(std::move(id))
        , is_mine_(hands_->leases.insert(id_).second)
    {
    }
    ~InHand()
    {
        if (is_mine_) {
            hands_->leases.erase(id_);
            hands_->put_down.notify();
        }
    }
    InHand(InHand const&) = delete;
    InHand& operator=(InHand const&) = delete;
    [[nodiscard]] bool is_mine() const { return is_mine_; }

private:
    std::shared_ptr<Hands> hands_;
    std::string id_;
    bool is_mine_;
};

net::Task<Result<Grant>> LeaseKeeper::give(std::shared_ptr<Snapshot const> snapshot, Question question, Answer answer)
{
    ASSERT(answer.allowed);
    Grant grant { question.action, question.resource, answer.record, std::nullopt, {}, std::nullopt };
    auto const source = source_of(*snapshot, question.resource);
    if (!source)
        co_return grant;
    auto const issuer = state_.issuers.find(source->provider->type);
    if (issuer == state_.issuers.end())
        co_return unavailable("nothing here issues credentials of type `" + source->provider->type + "`");
    std::vector<issue::Access> const accesses { { question.action, source->resource } };
    auto const place = "CredentialProvider `" + source->provider->name + "`";
    auto planned = issuer->second->plan(source->settings, accesses);
    if (planned.is_error())
        co_return not_issued(planned.error(), { question.resource }).in(place);
    auto const plan = std::move(planned).value();
    if (issuer->second->revocable() == nullptr) {
        grant.session = SessionGrant { source->provider->name, plan.kind, plan.environment, issuer->second->is_delivered() };
        co_return grant;
    }

    auto const now = state_.clock.now();
    identity::Lease lease;
    lease.id = "lease-" + state_.random.base32(20);
    lease.run = question.run;
    lease.workload = question.principal.id;
    lease.kind = plan.kind;
    lease.provider = source->provider->name;
    lease.credential = plan.name;
    lease.scope = plan.scope;
    lease.target = plan.target;
    lease.action = question.action;
    lease.resource_type = question.resource.type;
    lease.resource_id = question.resource.id;
    lease.decision = answer.record.value_or(0);
    lease.created = now;
    lease.expires = now + std::min(source->provider->lifetime, lease_lifetime_max);
    InHand const mine(hands_, lease.id);
    auto const intended = state_.store.leases->add(lease);
    if (intended.is_error())
        co_return intended.error();

    // From here on a failure leaves a pending lease in the store, which keep() takes back whether the credential came to be or not.
    auto created = co_await issuer->second->create(plan, { lease.workload, lease.run, question.purpose, lease.expires, {} });
    if (created.is_error())
        co_return not_issued(created.error(), { question.resource }).in(place);
    grant.credential = std::move(created).value();
    auto record = record_of(*snapshot, question, audit::RecordType::issuance, state_.clock.now());
    record.allowed = true;
    record.classification = classification_of(*snapshot, question.resource);
    record.policies = answer.policies;
    record.policy_version = snapshot->version;
    record.credential = recorded(lease);
    record.decision = answer.record;
    record.outcome = "ok";
    auto recorded = co_await record_or_spool(state_, std::move(record), answer.may_spool);
    lease.issuance = CO_TRY(recorded).sequence.value_or(0);
    lease.state = identity::LeaseState::active;
    auto const kept = state_.store.leases->update(lease);
    if (kept.is_error())
        co_return kept.error();
    ++state_.metrics.leases_created;
    grant.lease = std::move(lease);
    co_return grant;
}

issue::RevocableIssuer* LeaseKeeper::revocable_issuer(std::string const& kind) const
{
    auto const issuer = state_.issuers.find(kind);
    return issuer == state_.issuers.end() ? nullptr : issuer->second->revocable();
}

net::Task<Result<identity::Lease>> LeaseKeeper::prolong(std::shared_ptr<Snapshot const> snapshot, identity::Lease lease)
{
    InHand const mine(hands_, lease.id);
    if (!mine.is_mine())
        co_return conflict("lease `" + lease.id + "` is being changed");
    // SECURITY: the caller read it before it asked for a decision. What was taken back meanwhile stays so.
    auto const now = state_.store.leases->find(lease.id);
    if (now.is_error() || now->state != identity::LeaseState::active)
        co_return conflict("lease `" + lease.id + "` has ended meanwhile");
    auto* const issuer = revocable_issuer(lease.kind);
    if (issuer == nullptr)
        co_return unavailable("nothing here issues credentials of type `" + lease.kind + "`");
    auto const provider = snapshot->declarations.credential_providers.find(lease.provider);
    if (provider == snapshot->declarations.credential_providers.end())
        co_return permission_denied("CredentialProvider `" + lease.provider + "` is not declared any more");
    auto prolonged = lease;
    prolonged.expires = state_.clock.now() + std::min(provider->second.value.lifetime, lease_lifetime_max);
    // The store first: a credential never outlives what the store says of it.
    auto const kept = state_.store.leases->update(prolonged);
    if (kept.is_error())
        co_return kept.error();
    auto const done = co_await issuer->prolong(lease.target, lease.credential, prolonged.expires);
    if (done.is_error())
        co_return done.error();
    co_return prolonged;
}

// Of a lease that is pending in the store. An authority that was killed had perhaps put the issuance on record, and not come to write it down here.
net::Task<Result<std::uint64_t>> LeaseKeeper::find_issuance(identity::Lease const& lease)
{
    audit::RecordFilter filter;
    filter.type = audit::RecordType::issuance;
    filter.run = lease.run;
    filter.limit = run_issuances_max;
    auto* const log = state_.audit.get();
    using Found = Result<std::vector<audit::StoredRecord>>;
    auto found = co_await net::await_callback<Found>([log, &filter](net::Completion<Found> done) { log->query(filter, std::move(done)); });
    for (auto const& stored : CO_TRY(found)) {
        if (stored.record.credential && stored.record.credential->lease == lease.id)
            co_return stored.sequence;
    }
    co_return std::uint64_t(0);
}

net::Task<Result<>> LeaseKeeper::revoke(identity::Lease lease, std::string caller)
{
    auto* const issuer = revocable_issuer(lease.kind);
    Result<> revoked;
    if (issuer != nullptr)
        revoked = co_await issuer->revoke(lease.target, lease.credential);
    else
        revoked = co_await withdraw_token(state_, lease);
    if (revoked.is_error()) {
        ++state_.metrics.revocation_failures;
        co_return revoked.error();
    }
    // What is in the spool has no number yet, and a lease that is to end must not be taken for one that was never given out.
    if (lease.issuance == 0 && state_.outage->state().waiting != 0)
        co_return unavailable("the credential is taken back; the audit log cannot be written, and its issuance is perhaps in the spool");
    if (lease.issuance == 0 && lease.state != identity::LeaseState::active) {
        auto issuance = co_await find_issuance(lease);
        lease.issuance = CO_TRY(issuance);
    }
    // Of a pending lease nobody was given the credential; if the log has no issuance to take back, it has no revocation.
    if (lease.issuance != 0 || lease.state == identity::LeaseState::active) {
        auto appended = co_await append_record(state_, revocation_of(lease, caller, state_.clock.now()));
        if (appended.is_error())
            co_return appended.error();
    }
    lease.state = identity::LeaseState::ended;
    lease.ended = state_.clock.now();
    auto const kept = state_.store.leases->update(lease);
    if (kept.is_error())
        co_return kept.error();
    retries_.erase(lease.id);
    ++state_.metrics.leases_ended;
    co_return Result<>();
}

// For who lists leases. keep() asks again.
void LeaseKeeper::mark(identity::Lease lease, std::string const& reason, Error const& error)
{
    auto marked = with_error(reason, error.message);
    if (marked == lease.reason)
        return;
    lease.reason = std::move(marked);
    if (auto const kept = state_.store.leases->update(lease); kept.is_error())
        log_warning("why a lease could not be taken back yet was not written down", { { "lease", lease.id }, { "error", kept.error().message } });
}

net::Task<Result<>> LeaseKeeper::wait_for_hand(std::string id)
{
    // LIMIT: whoever has it in hand is done within the issuer's deadlines; keep() sees to it otherwise.
    constexpr Duration patience = std::chrono::seconds(30);
    while (hands_->leases.contains(id)) {
        auto const seen = hands_->put_down.version();
        auto const free = co_await hands_->put_down.wait_past(seen, patience);
        if (!free)
            co_return unavailable("lease `" + id + "` is being changed");
    }
    co_return Result<>();
}

net::Task<Result<std::string>> LeaseKeeper::abandon(std::string id, std::string caller, std::string reason)
{
    auto const is_free = co_await wait_for_hand(id);
    if (is_free.is_error())
        co_return is_free.error();
    InHand const mine(hands_, id);
    auto found = state_.store.leases->find(id);
    auto lease = CO_TRY(found);
    if (lease.state != identity::LeaseState::revoking)
        co_return conflict("lease `" + id + "` is " + std::string(to_string(lease.state)) + "; what is being taken back can be given up, and nothing else");
    auto appended = co_await append_record(state_, abandonment_of(lease, caller, reason, state_.clock.now()));
    if (appended.is_error())
        co_return appended.error();
    lease.state = identity::LeaseState::ended;
    lease.ended = state_.clock.now();
    lease.reason = reason_of(lease) + "; given up by " + caller + ": " + reason;
    auto const kept = state_.store.leases->update(lease);
    if (kept.is_error())
        co_return kept.error();
    retries_.erase(id);
    co_return id;
}

net::Task<Result<std::string>> LeaseKeeper::take_back(std::string id, std::string caller, std::string reason)
{
    auto const is_free = co_await wait_for_hand(id);
    if (is_free.is_error())
        co_return is_free.error();
    InHand const mine(hands_, id);
    auto found = state_.store.leases->find(id);
    auto lease = CO_TRY(found);
    if (lease.state == identity::LeaseState::ended)
        co_return conflict("lease `" + id + "` has ended already: " + lease.reason);
    auto const had_reason = std::exchange(lease.reason, std::move(reason));
    lease.revoking = lease.revoking.value_or(state_.clock.now());
    // Written down first: whatever happens now, it will be taken back. On a full disk it is taken back all the same.
    auto intended = lease;
    intended.state = identity::LeaseState::revoking;
    if (had_reason.starts_with(lease.reason + std::string(not_yet)))
        intended.reason = had_reason;
    auto const kept = state_.store.leases->update(intended);
    if (kept.is_error())
        log_warning("a lease's end was not written down", { { "lease", id }, { "error", kept.error().message } });
    auto const revoked = co_await revoke(lease, std::move(caller));
    if (revoked.is_ok())
        co_return id;
    mark(intended, lease.reason, revoked.error());
    co_return revoked.error();
}

// A page of leases that are taken back, and what came of them.
struct LeaseKeeper::Taking {
    std::string caller, reason;
    bool is_written_down = false;
    std::vector<identity::Lease> leases {};
    std::vector<std::unique_ptr<InHand>> held {}; // of each lease; null: somebody else has it
    std::size_t next = 0;
    TakenBack done {};
};

// Written down first, all with one sync: whatever happens now, they will be taken back. On a full disk they are taken back all the same.
void LeaseKeeper::take_in_hand(Taking& taking)
{
    std::vector<identity::Lease> intended;
    taking.held.clear();
    for (auto& lease : taking.leases) {
        lease.reason = taking.reason;
        lease.revoking = lease.revoking.value_or(state_.clock.now());
        auto mine = std::make_unique<InHand>(hands_, lease.id);
        taking.held.push_back(mine->is_mine() ? std::move(mine) : nullptr);
        if (taking.held.back() == nullptr)
            continue;
        intended.push_back(lease);
        intended.back().state = identity::LeaseState::revoking;
    }
    auto const kept = state_.store.leases->update_all(intended);
    taking.is_written_down = kept.is_ok();
    if (kept.is_error())
        log_warning("the end of leases was not written down", { { "leases", std::to_string(intended.size()) }, { "error", kept.error().message } });
}

net::Task<> LeaseKeeper::take_in_turn(Taking* taking)
{
    while (taking->next < taking->leases.size()) {
        auto const& lease = taking->leases[taking->next];
        auto const mine = std::move(taking->held[taking->next++]);
        if (mine != nullptr && taking->is_written_down && is_silent(lease.provider)) {
            taking->done.late.push_back(lease.id);
            taking->done.failed = unavailable("the system of CredentialProvider `" + lease.provider + "` does not answer");
            continue;
        }
        Result<> taken;
        if (mine == nullptr) {
            auto const by_then = co_await take_back(lease.id, taking->caller, taking->reason);
            taken = by_then.is_ok() ? Result<>() : Result<>(by_then.error());
        } else {
            taken = co_await revoke(lease, taking->caller);
        }
        if (taken.is_ok()) {
            taking->done.ended.push_back(lease.id);
            answered(lease.provider);
        } else if (taken.error().code != ErrorCode::conflict) {
            taking->done.late.push_back(lease.id);
            failed(lease.provider, taken.error());
            taking->done.failed = taken.error();
            if (mine != nullptr) {
                auto intended = lease;
                intended.state = identity::LeaseState::revoking;
                mark(std::move(intended), taking->reason, taken.error());
            }
        }
    }
}

net::Task<Result<TakenBack>> LeaseKeeper::take_back_all(store::LeaseFilter filter, IsMeant is_meant, std::string caller, std::string reason)
{
    Taking taking { std::move(caller), std::move(reason) };
    filter.limit = page_leases;
    for (std::string after;;) {
        auto page = state_.store.leases->open_after(after, filter);
        taking.leases = CO_TRY(page);
        taking.next = 0;
        if (taking.leases.empty())
            co_return std::move(taking.done);
        after = taking.leases.back().id;
        std::erase_if(taking.leases, [&is_meant](auto const& lease) { return !is_meant(lease); });
        take_in_hand(taking);
        std::vector<net::Task<>> tasks;
        for (std::size_t i = 0; i < std::min(at_once_max, taking.leases.size()); ++i)
            tasks.push_back(take_in_turn(&taking));
        co_await net::wait_for_all(std::move(tasks));
    }
}

net::Task<Result<std::vector<std::string>>> LeaseKeeper::take_back_run(std::string run, std::string caller, std::string reason)
{
    auto all = [](identity::Lease const&) { return true; };
    auto taken = co_await take_back_all({ .run = std::move(run) }, std::move(all), std::move(caller), std::move(reason));
    auto done = CO_TRY(taken);
    if (done.failed)
        co_return *done.failed;
    co_return std::move(done.ended);
}

JsonObject to_json(identity::Lease const& lease)
{
    JsonObject object { { "id", lease.id }, { "state", to_string(lease.state) }, { "run", lease.run }, { "workload", lease.workload },
        { "kind", lease.kind }, { "provider", lease.provider }, { "credential", lease.credential }, { "scope", lease.scope },
        { "action", lease.action }, { "resource", JsonObject { { "type", lease.resource_type }, { "id", lease.resource_id } } },
        { "decision", lease.decision }, { "issuance", lease.issuance }, { "created", to_rfc3339(lease.created) },
        { "expires", to_rfc3339(lease.expires) } };
    if (!lease.reason.empty())
        object.emplace("reason", lease.reason);
    if (lease.revoking)
        object.emplace("revoking_since", to_rfc3339(*lease.revoking));
    if (auto const error = last_error_of(lease); !error.empty())
        object.emplace("last_error", error);
    if (lease.ended)
        object.emplace("ended", to_rfc3339(*lease.ended));
    return object;
}

} // namespace writ::authority
