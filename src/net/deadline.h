// SPDX-License-Identifier: Apache-2.0
//
// One timer for one connection. Moving the deadline on, as every request does, does not touch the timer: it looks again when it fires.
// Private to net.
#pragma once

#include "net/asio_types.h"

#include <functional>
#include <memory>

namespace writ::net {

class Deadline {
public:
    // `expire` is called on the loop at each deadline that passes, unless the Deadline is gone by then.
    Deadline(Executor const&, std::function<void()> expire);
    ~Deadline();
    Deadline(Deadline const&) = delete;
    Deadline& operator=(Deadline const&) = delete;

    void set(Duration from_now);
    void clear();
    [[nodiscard]] bool has_expired() const; // since it was last set

private:
    struct State;
    static void arm(std::shared_ptr<State> const&);
    std::shared_ptr<State> state_;
};

} // namespace writ::net
