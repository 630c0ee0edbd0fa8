// SPDX-License-Identifier: Apache-2.0
//
// The keeper's rounds: what is due is taken back, one CredentialProvider beside the other, and again where that failed.
#include "authority/lease_keeper.h"

#include "authority/lease_reason.h"
#include "base/logger.h"

#include <algorithm>

namespace writ::authority {

namespace {

constexpr Duration round_interval = std::chrono::seconds(1);
// LIMIT: leases looked at in one round; the rest wait for the next.
constexpr std::size_t round_leases_max = 4096;
// LIMIT: CredentialProviders whose leases are taken back at the same time, each one after another.
constexpr std::size_t providers_at_once_max = 32;

// How long leases and runs that ended can be listed; what they were for stays in the log. docs/deploy.md says so.
constexpr Duration ended_kept = std::chrono::days(30);
constexpr Duration forget_interval = std::chrono::seconds(10);
// LIMIT: of one look, a few milliseconds: 8,640 looks a day forget more than an authority gives.
constexpr std::size_t forget_max = 1000;
// A system that does not answer is asked again after this, doubled each time.
constexpr Duration retry_first = std::chrono::seconds(1);
constexpr Duration retry_longest = std::chrono::minutes(1);
// LIMIT: more than single roles that cannot be dropped yet.
constexpr int failures_in_a_row_max = 8;

// Why keep() takes it back.
std::string due_reason_of(identity::Lease const& lease)
{
    if (lease.state == identity::LeaseState::pending)
        return "never given out";
    return lease.reason.empty() ? "expired" : reason_of(lease);
}

} // namespace

// Marks a CredentialProvider as one whose leases are being taken back, for as long as it lives, which may be longer than the keeper does.
class LeaseKeeper::Turn {
public:
    Turn(std::shared_ptr<Hands> hands, std::string provider)
        : hands_(std::move(hands))
        , provider_(std::move(provider))
    {
        hands_->providers.insert(provider_);
    }
    ~Turn() { hands_->providers.erase(provider_); }
    Turn(Turn const&) = delete;
    Turn& operator=(Turn const&) = delete;
    [[nodiscard]] std::string const& provider() const { return provider_; }

private:
    std::shared_ptr<Hands> hands_;
    std::string provider_;
};

bool LeaseKeeper::is_silent(std::string const& provider) const
{
    auto const found = silent_.find(provider);
    return found != silent_.end() && state_.clock.monotonic() < found->second.next;
}

// One that fails with each of its leases is as good as one that does not answer.
void LeaseKeeper::failed(std::string const& provider, Error const& error)
{
    if (is_silent(provider)) // several asked at the same time
        return;
    auto& silence = silent_[provider];
    if (++silence.failures < failures_in_a_row_max && error.code != ErrorCode::unavailable)
        return;
    silence.wait = std::clamp(silence.wait * 2, retry_first, retry_longest);
    silence.next = state_.clock.monotonic() + silence.wait;
}

// It does so again, and what waits for it need not wait longer.
void LeaseKeeper::answered(std::string const& provider)
{
    if (silent_.erase(provider) == 0)
        return;
    for (auto& [lease, retry] : retries_)
        if (retry.provider == provider)
            retry.next = {};
}

Monotonic LeaseKeeper::turn_of(identity::Lease const& lease) const
{
    auto const retry = retries_.find(lease.id);
    return retry == retries_.end() ? Monotonic() : retry->second.next;
}

// Those that expired while their system does not answer: they are to end, and a list says so.
void LeaseKeeper::write_down_late(std::vector<identity::Lease>& due)
{
    std::vector<identity::Lease> late;
    for (auto const& lease : due) {
        if (lease.state != identity::LeaseState::active || !is_silent(lease.provider) || hands_->leases.contains(lease.id))
            continue;
        late.push_back(lease);
        late.back().state = identity::LeaseState::revoking;
        late.back().revoking = state_.clock.now();
        late.back().reason = with_error("expired", "the system of CredentialProvider `" + lease.provider + "` does not answer");
    }
    if (auto const kept = late.empty() ? Result<>() : state_.store.leases->update_all(late); kept.is_error())
        log_warning("the end of leases was not written down", { { "leases", std::to_string(late.size()) }, { "error", kept.error().message } });
    std::erase_if(due, [this](auto const& lease) { return is_silent(lease.provider); });
}

net::Task<> LeaseKeeper::take_back_one(identity::Lease lease)
{
    auto const taken = co_await take_back(lease.id, "authority", due_reason_of(lease));
    if (taken.is_ok() || taken.error().code == ErrorCode::conflict) {
        retries_.erase(lease.id);
        answered(lease.provider);
        co_return;
    }
    failed(lease.provider, taken.error());
    auto& again = retries_[lease.id];
    again.provider = lease.provider;
    again.wait = std::clamp(again.wait * 2, retry_first, retry_longest);
    again.next = state_.clock.monotonic() + again.wait;
    log_warning("a lease could not be taken back yet", { { "lease", lease.id }, { "credential", lease.credential }, { "error", taken.error().message } });
}

// Whose turn was longest ago is first, so that one lease that cannot be taken back does not stand before the others of its database for ever. A database that does not answer costs one
// deadline, not one for each lease.
net::Task<> LeaseKeeper::take_back_due(LeaseKeeper* keeper, std::unique_ptr<Turn> turn, std::vector<identity::Lease> leases)
{
    for (auto const& lease : leases) {
        if (keeper->hands_->leases.contains(lease.id) || keeper->state_.clock.monotonic() < keeper->turn_of(lease))
            continue;
        co_await keeper->take_back_one(lease);
        if (keeper->is_silent(turn->provider()))
            co_return;
    }
}

void LeaseKeeper::round(net::EventLoop& loop)
{
    auto const now = lease_clock_.look(state_.clock.now(), state_.clock.monotonic());
    if (lease_clock_.was_set_forward())
        state_.changed.notify(); // agents renew what lives
    std::vector<std::string> without(hands_->providers.begin(), hands_->providers.end());
    for (auto const& [provider, silence] : silent_)
        if (is_silent(provider))
            without.push_back(provider);
    auto due = state_.store.leases->due(now, round_leases_max, without);
    if (due.is_error()) {
        log_error("leases cannot be read", { { "error", due.error().message } });
        return;
    }
    write_down_late(*due);
    std::stable_sort(due->begin(), due->end(), [this](auto const& left, auto const& right) { return turn_of(left) < turn_of(right); });
    std::map<std::string, std::vector<identity::Lease>> turns;
    for (auto& lease : *due)
        if (!hands_->providers.contains(lease.provider))
            turns[lease.provider].push_back(std::move(lease));
    for (auto& [provider, leases] : turns)
        if (hands_->providers.size() < providers_at_once_max && state_.clock.monotonic() >= turn_of(leases.front()))
            loop.spawn(take_back_due(this, std::make_unique<Turn>(hands_, provider), std::move(leases)));
}

void LeaseKeeper::forget_ended()
{
    auto const now = state_.clock.monotonic();
    if (forgotten_ != Monotonic() && now - forgotten_ < forget_interval)
        return;
    forgotten_ = now;
    auto const before = state_.clock.now() - ended_kept;
    auto const leases = state_.store.leases->forget_ended(before, forget_max);
    auto const runs = leases.is_ok() ? state_.store.runs->forget_ended(before, forget_max) : leases;
    if (runs.is_error())
        log_warning("leases and runs that ended long ago were not forgotten", { { "error", runs.error().message } });
    else if (*leases > 0 || *runs > 0)
        log_info("leases and runs that ended long ago are forgotten", { { "leases", std::uint64_t(*leases) }, { "runs", std::uint64_t(*runs) } });
}

net::Task<> LeaseKeeper::keep(net::EventLoop* loop)
{
    for (;;) {
        round(*loop);
        forget_ended();
        co_await net::delay(round_interval);
    }
}

} // namespace writ::authority
