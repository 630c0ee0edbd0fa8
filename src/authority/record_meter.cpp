// SPDX-License-Identifier: Apache-2.0
#include "authority/record_meter.h"

#include <algorithm>
#include <cmath>

namespace writ::authority {

namespace {

// LIMIT: workloads that are told apart; those beyond it share one account.
constexpr std::size_t accounts_max = 10'000;
constexpr std::string_view all_others = "*";

} // namespace

std::string RecordMeter::key_of(std::string_view caller, std::string_view workload)
{
    if (!caller.starts_with("spiffe://"))
        return "";
    if (caller.find("/writ/agent/") == std::string_view::npos)
        return std::string(caller);
    return workload.empty() ? std::string() : std::string(caller) + " " + std::string(workload);
}

void RecordMeter::fill(Account& account, Monotonic now) const
{
    auto const seconds = std::chrono::duration<double>(now - account.filled).count();
    account.left = std::min(burst(), account.left + seconds * rate_);
    account.filled = now;
}

RecordMeter::Account& RecordMeter::account_of(std::string const& key, Monotonic now)
{
    auto found = accounts_.find(key);
    if (found == accounts_.end()) {
        auto const name = accounts_.size() < accounts_max ? key : std::string(all_others);
        found = accounts_.try_emplace(name, Account { .left = burst(), .filled = now, .since = now }).first;
    }
    fill(found->second, now);
    return found->second;
}

void RecordMeter::charge(std::string const& key, std::size_t bytes, Monotonic now)
{
    if (rate_ > 0 && !key.empty())
        account_of(key, now).left -= static_cast<double>(bytes);
}

std::optional<Duration> RecordMeter::refuse(std::string const& key, Monotonic now)
{
    if (rate_ <= 0 || key.empty())
        return std::nullopt;
    auto& account = account_of(key, now);
    if (account.left > 0)
        return std::nullopt;
    ++account.refused;
    return std::chrono::seconds(1 + static_cast<std::int64_t>(std::floor(-account.left / rate_)));
}

std::vector<RecordMeter::Count> RecordMeter::take(Monotonic now)
{
    std::vector<Count> counts;
    for (auto& [key, account] : accounts_) {
        if (account.refused > 0)
            counts.push_back({ key, account.refused, now - account.since });
        account.refused = 0;
        account.since = now;
        fill(account, now);
    }
    std::erase_if(accounts_, [this](auto const& entry) { return entry.second.left >= burst(); });
    return counts;
}

} // namespace writ::authority
