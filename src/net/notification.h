// SPDX-License-Identifier: Apache-2.0
//
// Something changed, for any number of tasks that wait for it on one loop. A change is never missed: look at version() before reading
// the state, then wait for a later one. May die while it is waited for.
#pragma once

#include "net/task.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace writ::net {

struct Watch;

class Notification {
public:
    Notification();

    [[nodiscard]] std::uint64_t version() const;
    void notify(); // on the loop's thread; wakes all

    // Whether version() is beyond `seen`, which is waited for until the timeout.
    Task<bool> wait_past(std::uint64_t seen, Duration timeout) const;

private:
    friend struct Watch;
    friend Task<bool> wait_for_any(std::vector<Watch>, Duration);
    struct State;
    std::shared_ptr<State> state_;
};

// One of several things to wait for.
struct Watch {
    Watch(Notification const& notification, std::uint64_t seen_version);
    [[nodiscard]] bool is_past() const;

private:
    friend Task<bool> wait_for_any(std::vector<Watch>, Duration);
    std::shared_ptr<Notification::State> state_;
    std::uint64_t seen_;
};

// Whether any of them is past its seen version, which is waited for until the timeout.
Task<bool> wait_for_any(std::vector<Watch> watches, Duration timeout);

} // namespace writ::net
