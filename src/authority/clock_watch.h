// SPDX-License-Identifier: Apache-2.0
//
// Whether the wall clock was set while the authority runs. Records carry its time, and lifetimes end by it, so a step is said loudly and is a record.
#pragma once

#include "authority/state.h"

namespace writ::authority {

// LIMIT: less than what NTP corrects by slewing; a machine that slept shows as a step too.
inline constexpr Duration clock_step_min = std::chrono::seconds(1);

class ClockWatch {
public:
    ClockWatch(Timestamp now, Monotonic monotonic)
        : now_(now)
        , monotonic_(monotonic)
    {
    }

    // By how much the wall clock went further than time did since the last look; negative: it was set back. None: it was not set.
    std::optional<Duration> look(Timestamp now, Monotonic monotonic);

private:
    Timestamp now_;
    Monotonic monotonic_;
};

// `the clock was set back by 3600.0 s`
std::string describe_step(Duration);

// Looks every second, for ever. Spawned once; `state` outlives the loop.
net::Task<> watch_clock(AuthorityState& state);

// What to say at a start if the newest record is of a time that has not come yet; empty: nothing.
net::Task<std::string> describe_clock_at_start(AuthorityState& state);

} // namespace writ::authority
