// SPDX-License-Identifier: Apache-2.0
//
// How many lines of the operator's log somebody else may cause, who can ask without end: so many at once, and then one now and then, which says how many were left out before it.
#pragma once

#include "base/clock.h"

#include <map>
#include <optional>
#include <string>

namespace writ {

class LogQuota {
public:
    explicit LogQuota(Clock const& clock)
        : clock_(clock)
    {
    }

    // Whether there is a line now for what `who` caused, and then how many were left out since its last; none: left out.
    std::optional<std::uint64_t> next(std::string const& who);

private:
    struct Account {
        double lines = 0; // left
        Monotonic filled {};
        std::uint64_t left_out = 0;
    };

    Clock const& clock_;
    std::map<std::string, Account> accounts_;
};

} // namespace writ
