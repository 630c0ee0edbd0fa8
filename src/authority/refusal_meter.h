// SPDX-License-Identifier: Apache-2.0
//
// How often the refused starts of one user, and of one node, have records of their own. Whoever is no workload has no other way into the log, and would fill its disk. What
// comes beyond is counted, and the counts are records: the first that is counted says so.
#pragma once

#include "base/clock.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace writ::authority {

class RefusalMeter {
public:
    enum class Verdict : std::uint8_t {
        record,
        announce, // recorded, and the record says that those behind it are counted
        count,
    };
    Verdict note(std::string const& agent, std::string const& uid, Monotonic now);

    struct Count {
        std::string agent, uid; // `uid` empty: of all users of the node together
        std::uint64_t refused = 0;
        Duration within {};
    };
    // What was counted since it was last asked; what is counted from now on counts anew.
    std::vector<Count> take(Monotonic now);

private:
    // Refills with time; empty: what comes is counted.
    struct Bucket {
        double left = 0;
        Monotonic filled {};
        bool is_counting = false;
        std::uint64_t counted = 0;
        Monotonic since {};
    };
    struct Rate;
    static void fill(Bucket&, Rate const&, Monotonic now);
    static Verdict count(Bucket&, Monotonic now);
    Bucket* bucket_of(std::string const& agent, std::string const& uid, Rate const&, Monotonic now);

    std::map<std::pair<std::string, std::string>, Bucket> buckets_;
};

} // namespace writ::authority
