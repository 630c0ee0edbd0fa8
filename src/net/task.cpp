// SPDX-License-Identifier: Apache-2.0
#include "net/task.h"

#include "base/logger.h"
#include "base/unique_fd.h"
#include "net/asio_types.h"

#include <boost/asio/basic_signal_set.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <mutex>
#include <unistd.h>
#include <vector>

namespace writ::net {

namespace asio = boost::asio;
using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

namespace {

std::string what_of(std::exception_ptr const& exception)
{
    try {
        std::rethrow_exception(exception);
    } catch (std::exception const& error) {
        return error.what();
    } catch (...) {
        return "not a std::exception";
    }
}

} // namespace

EventLoop::EventLoop()
    : context_(1)
{
}

EventLoop::~EventLoop() = default;

void EventLoop::run()
{
    auto const work = asio::make_work_guard(context_);
    context_.restart();
    context_.run();
}

int EventLoop::run_until_signal()
{
    int number = 0;
    asio::basic_signal_set<Executor> signals(context_.get_executor(), SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code const& error, int signal) {
        if (error)
            return;
        number = signal;
        context_.stop();
    });
    run();
    return number;
}

void EventLoop::run_until_done(Task<> task)
{
    auto const work = asio::make_work_guard(context_);
    bool done = false;
    std::exception_ptr failure;
    asio::co_spawn(context_, std::move(task), [&](std::exception_ptr const& exception) {
        failure = exception;
        done = true;
    });
    while (!done) {
        context_.restart(); // after an earlier stop()
        context_.run_one();
    }
    if (failure)
        std::rethrow_exception(failure);
}

void EventLoop::stop() { context_.stop(); }

void EventLoop::post(std::function<void()> function) { asio::post(context_, std::move(function)); }

void EventLoop::spawn(Task<> task)
{
    asio::co_spawn(context_, std::move(task), [](std::exception_ptr const& exception) {
        if (!exception)
            return;
        log_error("a task ended with an exception", { { "what", what_of(exception) } });
        std::abort();
    });
}

Task<> delay(Duration duration)
{
    Timer timer(co_await asio::this_coro::executor);
    timer.expires_after(clamped(duration));
    co_await timer.async_wait(as_values);
}

Task<int> wait_for_signal()
{
    asio::basic_signal_set<Executor> signals(co_await asio::this_coro::executor, SIGINT, SIGTERM);
    auto const [error, number] = co_await signals.async_wait(as_values);
    ASSERT(!error);
    co_return number;
}

namespace {

// Asio closes what it is given, so it gets a duplicate. It also makes the description non-blocking; those we wait for are.
Task<Result<>> wait_on(int fd, Descriptor::wait_type readiness, Duration timeout)
{
    auto const executor = co_await asio::this_coro::executor;
    UniqueFd duplicate(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (!duplicate.is_open())
        co_return errno_error("duplicate a descriptor", errno);
    auto const descriptor = std::make_shared<Descriptor>(executor);
    boost::system::error_code refused;
    descriptor->assign(duplicate.get(), refused);
    if (refused)
        co_return unavailable("wait for a descriptor: " + refused.message());
    (void)duplicate.release();

    Timer timer(executor);
    timer.expires_after(clamped(timeout));
    timer.async_wait([descriptor](boost::system::error_code const& error) {
        boost::system::error_code ignored;
        if (!error)
            descriptor->cancel(ignored);
    });
    auto const [error] = co_await descriptor->async_wait(readiness, as_values);
    timer.cancel();
    if (error == asio::error::operation_aborted)
        co_return unavailable("no answer in time");
    if (error)
        co_return unavailable("wait for a descriptor: " + error.message());
    co_return Result<>();
}

} // namespace

Task<Result<>> wait_readable(int fd, Duration timeout) { return wait_on(fd, Descriptor::wait_read, timeout); }
Task<Result<>> wait_writable(int fd, Duration timeout) { return wait_on(fd, Descriptor::wait_write, timeout); }

// Other threads hold it too, perhaps longer than the loop lives: nothing here needs the loop when it dies.
struct ResumePoint::State {
    class Resumed;

    Executor executor;
    Resumed& resumed;         // dies with the loop
    bool is_resumed = false;  // on the loop's thread
    Timer* waiting = nullptr; // on the loop's thread; in the waiting coroutine's frame
};

// Those that were resumed by other threads, on their way to the loop: however many there are, it is told once. A group of the log resumes hundreds, and a
// post for each of them would take the loop's lock, and might wake its thread, each time.
class ResumePoint::State::Resumed final : public asio::execution_context::service {
public:
    static inline asio::execution_context::id id;

    explicit Resumed(asio::execution_context& context)
        : service(context)
    {
    }
    void add(std::shared_ptr<State> state)
    {
        auto const loop = state->executor;
        {
            std::scoped_lock const lock(mutex_);
            states_.push_back(std::move(state));
            if (std::exchange(is_told_, true))
                return;
        }
        asio::post(loop, [this] { resume_all(); });
    }

private:
    void shutdown() noexcept override { }
    void resume_all()
    {
        std::vector<std::shared_ptr<State>> states;
        {
            std::scoped_lock const lock(mutex_);
            states.swap(states_);
            is_told_ = false;
        }
        for (auto const& state : states) {
            state->is_resumed = true;
            if (state->waiting)
                state->waiting->cancel();
        }
    }

    std::mutex mutex_;
    std::vector<std::shared_ptr<State>> states_; // under mutex_, as the next
    bool is_told_ = false;
};

ResumePoint::ResumePoint(std::shared_ptr<State> state)
    : state_(std::move(state))
{
}

Task<ResumePoint> ResumePoint::create()
{
    auto const executor = co_await asio::this_coro::executor;
    auto& resumed = asio::use_service<State::Resumed>(executor.context());
    co_return ResumePoint(std::make_shared<State>(State { .executor = executor, .resumed = resumed }));
}

void ResumePoint::resume() const
{
    state_->resumed.add(state_);
}

Task<> ResumePoint::wait() const
{
    auto const state = state_;
    if (state->is_resumed)
        co_return;
    Timer timer(state->executor);
    timer.expires_at(Timer::time_point::max());
    state->waiting = &timer;
    while (!state->is_resumed)
        co_await timer.async_wait(as_values);
    state->waiting = nullptr;
}

} // namespace writ::net
