// SPDX-License-Identifier: Apache-2.0
//
// The time by which leases expire: the wall clock's, but not at once where somebody sets it forward. A lease is for a length of time, and live runs would lose their credentials though
// none of it had passed. For a while the old time goes on, as the monotonic clock tells it; agents renew what lives meanwhile, and then the new time holds. docs/decisions/0015.
#pragma once

#include "authority/clock_watch.h"

namespace writ::authority {

// LIMIT: longer than any agent lets pass without renewing a run's leases (5 min).
inline constexpr Duration clock_step_grace = std::chrono::minutes(6);

class LeaseClock {
public:
    LeaseClock(Timestamp now, Monotonic monotonic)
        : watch_(now, monotonic)
    {
    }

    // What time it is for leases. Asked every second or so; a step is told from what passed since the last time.
    Timestamp look(Timestamp now, Monotonic monotonic);
    // Whether the last look() found the clock set forward.
    [[nodiscard]] bool was_set_forward() const { return was_set_forward_; }

private:
    ClockWatch watch_;
    Duration ahead_ {}; // of the old time
    Monotonic until_ {};
    bool was_set_forward_ = false;
};

} // namespace writ::authority
