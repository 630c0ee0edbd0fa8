// SPDX-License-Identifier: Apache-2.0
#include "authority/lease_clock.h"

#include <algorithm>

namespace writ::authority {

Timestamp LeaseClock::look(Timestamp now, Monotonic monotonic)
{
    auto const step = watch_.look(now, monotonic).value_or(Duration::zero());
    was_set_forward_ = step > Duration::zero();
    if (monotonic >= until_)
        ahead_ = Duration::zero();
    if (was_set_forward_)
        until_ = monotonic + clock_step_grace;
    // Set back, it takes first what it was ahead.
    if (was_set_forward_ || ahead_ > Duration::zero())
        ahead_ = std::max(Duration::zero(), ahead_ + step);
    return now - ahead_;
}

} // namespace writ::authority
