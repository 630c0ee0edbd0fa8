// SPDX-License-Identifier: Apache-2.0
//
// Coroutines on one event loop. A role is one thread that runs one EventLoop; every Task runs to completion on it, so roles need no
// locks. Only post(), stop() and the completions of await_callback() may be called from other threads.
// A lambda coroutine's captures die with the lambda: pass state as parameters.
#pragma once

#include "base/assert.h"
#include "base/clock.h"
#include "base/result.h"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>

namespace writ::net {

template <typename T = void> using Task = boost::asio::awaitable<T, boost::asio::io_context::executor_type>;

// The loop outlives what its tasks refer to, or that is held by shared_ptr: ~EventLoop destroys the tasks that still wait.
class EventLoop {
public:
    EventLoop();
    ~EventLoop();
    EventLoop(EventLoop const&) = delete;
    EventLoop& operator=(EventLoop const&) = delete;

    // Runs tasks until stop().
    void run();
    // Runs tasks until SIGINT or SIGTERM, and returns its number.
    int run_until_signal();
    // Runs this task, and the others, until this one is done.
    template <typename T> T run(Task<T> task);

    void stop();                      // thread-safe
    void post(std::function<void()>); // thread-safe; the function runs on the loop

    // Starts a task that nobody waits for. An exception that leaves it is a broken invariant: it is logged, and the process ends.
    void spawn(Task<> task);

    boost::asio::io_context& context() { return context_; }

private:
    void run_until_done(Task<> task);
    template <typename T> static Task<> keep(Task<T> task, std::optional<T>& value);

    boost::asio::io_context context_;
};

// All below resume on the loop of the task that awaits them.

Task<> delay(Duration);
// The number of the SIGINT or SIGTERM that came.
Task<int> wait_for_signal();

// Waits for a descriptor that stays the caller's: libpq's socket, a pidfd. One waiter for each descriptor; it must stay open meanwhile.
// unavailable: the timeout passed.
Task<Result<>> wait_readable(int fd, Duration timeout);
Task<Result<>> wait_writable(int fd, Duration timeout);

// One waiting task that another thread may resume, once. The loop must outlive the call of resume().
class ResumePoint {
public:
    static Task<ResumePoint> create();
    void resume() const; // thread-safe
    Task<> wait() const;

private:
    struct State;
    explicit ResumePoint(std::shared_ptr<State> state);
    std::shared_ptr<State> state_;
};

template <typename T> using Completion = std::function<void(T)>;

// Calls start(complete) and waits until complete(value) is called: exactly once, from any thread, at once or later.
template <typename T> Task<T> await_callback(std::function<void(Completion<T>)> start)
{
    auto const point = co_await ResumePoint::create();
    auto const value = std::make_shared<std::optional<T>>();
    start([point, value](T result) {
        value->emplace(std::move(result));
        point.resume();
    });
    co_await point.wait();
    co_return std::move(**value);
}

template <typename T> T EventLoop::run(Task<T> task)
{
    if constexpr (std::is_void_v<T>) {
        run_until_done(std::move(task));
    } else {
        std::optional<T> value;
        run_until_done(keep(std::move(task), value));
        ASSERT(value);
        return std::move(*value);
    }
}

template <typename T> Task<> EventLoop::keep(Task<T> task, std::optional<T>& value) { value.emplace(co_await std::move(task)); }

} // namespace writ::net
