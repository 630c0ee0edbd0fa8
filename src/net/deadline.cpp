// SPDX-License-Identifier: Apache-2.0
#include "net/deadline.h"

namespace writ::net {

struct Deadline::State {
    Timer timer;
    std::function<void()> expire;
    Monotonic due = Monotonic::max();
    bool is_armed = false;
    bool has_expired = false;
};

namespace {

// Asio's timers run on the machine's clock; so must what is compared with them.
Monotonic now() { return SystemClock().monotonic(); }

} // namespace

Deadline::Deadline(Executor const& executor, std::function<void()> expire)
    : state_(std::make_shared<State>(State { .timer = Timer(executor), .expire = std::move(expire) }))
{
}

Deadline::~Deadline()
{
    state_->expire = nullptr;
    state_->timer.cancel();
}

void Deadline::set(Duration from_now)
{
    auto const due = now() + clamped(from_now);
    auto const is_earlier = due < state_->due;
    state_->due = due;
    state_->has_expired = false;
    if (!state_->is_armed)
        arm(state_);
    else if (is_earlier)
        state_->timer.cancel(); // its completion arms it again
}

void Deadline::clear()
{
    state_->due = Monotonic::max();
    state_->has_expired = false;
}

bool Deadline::has_expired() const { return state_->has_expired; }

void Deadline::arm(std::shared_ptr<State> const& state)
{
    state->is_armed = true;
    state->timer.expires_at(state->due);
    state->timer.async_wait([state](boost::system::error_code const&) {
        state->is_armed = false;
        if (!state->expire || state->due == Monotonic::max())
            return;
        if (now() < state->due)
            return arm(state);
        state->due = Monotonic::max();
        state->has_expired = true;
        state->expire();
    });
}

} // namespace writ::net
