// SPDX-License-Identifier: Apache-2.0
//
// How much each workload may make the authority write into its log, in bytes of records. What is over is owed: a request is answered before it is decided on, or decided on and on
// record as a whole; nothing that was decided goes unrecorded. What was refused so is counted, and the counts are records.
#pragma once

#include "base/clock.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace writ::authority {

// LIMIT: of one workload on one node, or of one that asks by itself: a quarter of a million decisions at once, some 90 a second in the long run, which are 5.5 GB a day.
inline constexpr std::uint64_t record_rate_default = 64U << 10U; // bytes a second
inline constexpr std::uint64_t record_burst_seconds = 2048;      // of the rate: 128 MiB by default

class RecordMeter {
public:
    // 0 bytes a second: no bound.
    explicit RecordMeter(std::uint64_t bytes_a_second = record_rate_default)
        : rate_(static_cast<double>(bytes_a_second))
    {
    }

    // Who is bounded: whoever asks, or the workload that its agent asks for. Empty: nobody (administrators, the authority itself).
    static std::string key_of(std::string_view caller, std::string_view workload);

    // A record of so many bytes was made.
    void charge(std::string const& key, std::size_t bytes, Monotonic now);
    // After how long the next request may come; none: now. What is refused is counted.
    std::optional<Duration> refuse(std::string const& key, Monotonic now);

    struct Count {
        std::string key;
        std::uint64_t refused = 0;
        Duration within {};
    };
    // What was refused since it was last asked.
    std::vector<Count> take(Monotonic now);
    [[nodiscard]] std::uint64_t bytes_a_second() const { return static_cast<std::uint64_t>(rate_); }

private:
    struct Account {
        double left = 0; // bytes; negative: owed
        Monotonic filled {};
        std::uint64_t refused = 0;
        Monotonic since {};
    };
    Account& account_of(std::string const& key, Monotonic now);
    void fill(Account&, Monotonic now) const;
    [[nodiscard]] double burst() const { return rate_ * static_cast<double>(record_burst_seconds); }

    double rate_; // bytes a second
    std::map<std::string, Account> accounts_;
};

} // namespace writ::authority
