// SPDX-License-Identifier: Apache-2.0
//
// What a benchmark has measured: how long each operation took, and what the process that did it was charged by the kernel.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace writ::bench {

using Instant = std::chrono::steady_clock::time_point;
inline Instant now() { return std::chrono::steady_clock::now(); }
inline double seconds(Instant::duration time) { return std::chrono::duration<double>(time).count(); }

// Values of any unit; percentile() reorders them.
class Sample {
public:
    void add(double value) { values_.push_back(value); }
    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] double percentile(double share)
    {
        if (values_.empty())
            return 0;
        auto const at = std::min(values_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values_.size())));
        std::ranges::nth_element(values_, values_.begin() + static_cast<std::ptrdiff_t>(at));
        return values_[at];
    }
    [[nodiscard]] double median() { return percentile(0.5); }

private:
    std::vector<double> values_;
};

// CPU time of a process: its event loop's thread, and the others (the log's writer).
struct CpuTime {
    double loop = 0; // seconds
    double others = 0;

    [[nodiscard]] double total() const { return loop + others; }
    CpuTime operator-(CpuTime const& earlier) const { return { loop - earlier.loop, others - earlier.others }; }
};

} // namespace writ::bench
