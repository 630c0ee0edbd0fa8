// SPDX-License-Identifier: Apache-2.0
//
// What is durable and not in full bundles yet, in memory. Private to tlog. Thread-safe.
#pragma once

#include "tlog/group.h"

#include <atomic>
#include <deque>
#include <mutex>

namespace writ::tlog {

class Tail {
public:
    // Records before `settled` are in bundles; the groups follow on each other from there or before on.
    Tail(std::uint64_t settled, std::vector<GroupPtr> const& groups);

    void append(GroupPtr);
    [[nodiscard]] std::uint64_t size() const { return size_; } // records ever
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    // All groups that hold records from `index` on. REQUIRES: none of them was dropped.
    [[nodiscard]] std::vector<GroupPtr> groups_from(std::uint64_t index) const;
    // Records [first, first + count) as far as they are there; nothing: `first` was dropped, its bundle is full.
    [[nodiscard]] std::optional<std::vector<Bytes>> read(std::uint64_t first, std::size_t count) const;

    // Records before `index` are in full bundles.
    void drop_before(std::uint64_t index);

private:
    [[nodiscard]] std::size_t position_of(std::uint64_t index) const; // under mutex_

    mutable std::mutex mutex_;
    std::deque<GroupPtr> groups_; // under mutex_
    std::uint64_t first_;         // under mutex_: what can be read begins here
    std::atomic<std::uint64_t> size_;
    std::atomic<std::size_t> bytes_ = 0;
};

} // namespace writ::tlog
