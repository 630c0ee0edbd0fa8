// SPDX-License-Identifier: Apache-2.0
#include "net/notification.h"

#include "net/asio_types.h"

#include <algorithm>

namespace writ::net {

struct Notification::State {
    std::uint64_t version = 0;
    std::vector<Timer*> waiting; // in the frames of tasks that wait
};

Notification::Notification()
    : state_(std::make_shared<State>())
{
}

std::uint64_t Notification::version() const { return state_->version; }

void Notification::notify()
{
    ++state_->version;
    // Cancelling only queues the tasks, so the list does not change under the loop.
    for (auto* const timer : state_->waiting)
        timer->cancel();
}

Watch::Watch(Notification const& notification, std::uint64_t seen_version)
    : state_(notification.state_)
    , seen_(seen_version)
{
}

bool Watch::is_past() const { return state_->version > seen_; }

Task<bool> Notification::wait_past(std::uint64_t seen, Duration timeout) const
{
    if (state_->version > seen)
        co_return true;
    std::vector<Watch> watches { Watch(*this, seen) };
    co_return co_await wait_for_any(std::move(watches), timeout);
}

Task<bool> wait_for_any(std::vector<Watch> watches, Duration timeout)
{
    // Signs out of every list also when the frame is destroyed while it waits.
    struct Registration {
        std::vector<Watch>& watches;
        Timer timer;

        Registration(std::vector<Watch>& all, Executor const& executor)
            : watches(all)
            , timer(executor)
        {
            for (auto const& watch : watches)
                watch.state_->waiting.push_back(&timer);
        }
        ~Registration()
        {
            for (auto const& watch : watches)
                std::erase(watch.state_->waiting, &timer);
        }
        Registration(Registration const&) = delete;
        Registration& operator=(Registration const&) = delete;
    };

    auto const is_any_past = [](std::vector<Watch> const& all) { return std::ranges::any_of(all, &Watch::is_past); };
    if (is_any_past(watches))
        co_return true;
    if (timeout <= Duration::zero())
        co_return false;
    Registration registration(watches, co_await boost::asio::this_coro::executor);
    registration.timer.expires_after(clamped(timeout));
    for (;;) {
        auto const [cancelled] = co_await registration.timer.async_wait(as_values);
        if (is_any_past(watches))
            co_return true;
        if (!cancelled)
            co_return false;
    }
}

} // namespace writ::net
