// SPDX-License-Identifier: Apache-2.0
#include "base/log_quota.h"

#include <algorithm>

namespace writ {

namespace {

// LIMIT: at once, as many as tell what goes wrong; then 6 a minute, some 2 MB a day.
constexpr double lines_burst = 50, lines_a_second = 0.1;
// LIMIT: of those who are told apart; the others share one account.
constexpr std::size_t accounts_max = 1000;

} // namespace

std::optional<std::uint64_t> LogQuota::next(std::string const& who)
{
    auto const now = clock_.monotonic();
    if (accounts_.size() >= accounts_max && !accounts_.contains(who)) {
        std::erase_if(accounts_, [now](auto const& entry) {
            auto const& account = entry.second;
            return account.left_out == 0 && account.lines + std::chrono::duration<double>(now - account.filled).count() * lines_a_second >= lines_burst;
        });
    }
    auto const key = accounts_.size() < accounts_max || accounts_.contains(who) ? who : std::string();
    auto& account = accounts_.try_emplace(key, Account { .lines = lines_burst, .filled = now }).first->second;
    account.lines = std::min(lines_burst, account.lines + std::chrono::duration<double>(now - account.filled).count() * lines_a_second);
    account.filled = now;
    if (account.lines < 1) {
        ++account.left_out;
        return std::nullopt;
    }
    account.lines -= 1;
    return std::exchange(account.left_out, 0);
}

} // namespace writ
