// SPDX-License-Identifier: Apache-2.0
#include "net/task.h"

#include "net/notification.h"
#include "net/stream.h"
#include "net/task_end.h"
#include "net/wait_for_all.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace writ::net {
namespace {

using namespace std::chrono_literals;

TEST(AwaitCallback, resumes_the_task_whichever_thread_completes_it)
{
    EventLoop loop;
    std::thread worker;
    EXPECT_EQ(loop.run(await_callback<int>([&](Completion<int> complete) { worker = std::thread([complete] { complete(7); }); })), 7);
    worker.join();
    EXPECT_EQ(loop.run(await_callback<int>([](Completion<int> const& complete) { complete(8); })), 8);
}

TEST(AwaitCallback, resumes_each_of_many_that_several_threads_complete_at_once)
{
    constexpr std::size_t threads = 4, tasks = 1000;
    EventLoop loop;
    std::vector<Completion<std::size_t>> waiting;
    std::vector<std::size_t> answers;
    auto const wait = [](EventLoop& on, std::vector<Completion<std::size_t>>& keep, std::vector<std::size_t>& told) -> Task<> {
        told.push_back(co_await await_callback<std::size_t>([&keep](Completion<std::size_t> complete) { keep.push_back(std::move(complete)); }));
        if (told.size() == tasks)
            on.stop();
    };
    for (std::size_t i = 0; i < tasks; ++i)
        loop.spawn(wait(loop, waiting, answers));
    loop.run(delay(1ms));
    ASSERT_EQ(waiting.size(), tasks);
    std::vector<std::thread> workers;
    for (std::size_t worker = 0; worker < threads; ++worker)
        workers.emplace_back([&waiting, worker] {
            for (auto i = worker; i < tasks; i += threads)
                waiting[i](i);
        });
    loop.run();
    for (auto& worker : workers)
        worker.join();
    std::ranges::sort(answers);
    for (std::size_t i = 0; i < tasks; ++i)
        ASSERT_EQ(answers[i], i);
}

TEST(AwaitCallback, may_never_be_completed_before_the_loop_dies)
{
    Completion<int> kept;
    {
        EventLoop loop;
        auto const wait = [](Completion<int>& keep) -> Task<> {
            co_await await_callback<int>([&keep](Completion<int> complete) { keep = std::move(complete); });
        };
        loop.spawn(wait(kept));
        loop.run(delay(1ms));
    }
    EXPECT_TRUE(kept); // dropping it now touches nothing of the loop
}

TEST(EventLoop, hands_an_exception_to_whoever_ran_the_task)
{
    EventLoop loop;
    auto const fail = []() -> Task<int> {
        co_await delay(0ms);
        throw std::runtime_error("no");
    };
    EXPECT_THROW(loop.run(fail()), std::runtime_error);
}

TEST(WaitForAll, begins_each_before_it_waits_for_any_and_returns_after_the_last)
{
    EventLoop loop;
    loop.run(wait_for_all({}));
    int begun = 0, ended = 0;
    Notification all_begun;
    auto const meet = [](int* began, int* over, Notification* met) -> Task<> {
        auto const seen = met->version();
        if (++*began == 3)
            met->notify();
        else
            EXPECT_TRUE(co_await met->wait_past(seen, 10s));
        ++*over;
    };
    std::vector<Task<>> tasks;
    for (int i = 0; i < 3; ++i)
        tasks.push_back(meet(&begun, &ended, &all_begun));
    loop.run(wait_for_all(std::move(tasks)));
    EXPECT_EQ(ended, 3);
}

TEST(EventLoop, returns_the_signal_that_ended_it)
{
    EventLoop loop;
    loop.post([] { ::kill(::getpid(), SIGTERM); });
    EXPECT_EQ(loop.run_until_signal(), SIGTERM);
}

TEST(WaitReadable, waits_for_bytes_and_leaves_the_descriptor_to_its_owner)
{
    EventLoop loop;
    int ends[2] = {};
    ASSERT_EQ(::pipe(ends), 0);
    auto const early = loop.run(wait_readable(ends[0], 10ms));
    EXPECT_EQ(early.error().code, ErrorCode::unavailable);
    ASSERT_EQ(::write(ends[1], "x", 1), 1);
    EXPECT_TRUE(loop.run(wait_readable(ends[0], 5s)).is_ok());
    EXPECT_TRUE(loop.run(wait_writable(ends[1], 5s)).is_ok());
    char byte = 0;
    EXPECT_EQ(::read(ends[0], &byte, 1), 1);
    ::close(ends[0]);
    ::close(ends[1]);
}

Task<> notify_after(Notification notification, Duration time)
{
    co_await delay(time);
    notification.notify();
}

struct Owner {
    explicit Owner(int& tasks)
        : tasks_here(tasks)
    {
    }
    int& tasks_here;
    std::unique_ptr<Stream> kept;
};

// Counts itself out of its owner when it is destroyed, as tasks do.
Task<> wait_in(Owner* owner)
{
    struct Turn {
        explicit Turn(Owner* one)
            : owner(one)
        {
            ++owner->tasks_here;
        }
        ~Turn() { --owner->tasks_here; }
        Turn(Turn const&) = delete;
        Turn& operator=(Turn const&) = delete;
        Owner* owner;
    } const turn(owner);
    co_await delay(1h);
}

TEST(TaskEnd, comes_before_that_of_what_tasks_use_and_what_holds_streams_may_go_after_it)
{
    int tasks = 0;
    {
        EventLoop loop;
        auto const owner = std::make_unique<Owner>(tasks);
        TaskEnd const end(loop);
        int ends[2];
        ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
        owner->kept = stream_of(loop.context(), UniqueFd(ends[0])).value();
        UniqueFd const other(ends[1]);
        owner->kept->set_deadline(1h);
        loop.spawn(wait_in(owner.get()));
        loop.run(delay(1ms));
        EXPECT_EQ(tasks, 1);
    }
    EXPECT_EQ(tasks, 0);
}

TEST(Notification, is_not_missed_between_looking_and_waiting)
{
    EventLoop loop;
    Notification notification;
    auto const seen = notification.version();
    notification.notify();
    EXPECT_TRUE(loop.run(notification.wait_past(seen, 0s)));
    EXPECT_FALSE(loop.run(notification.wait_past(notification.version(), 5ms)));
    loop.spawn(notify_after(notification, 1ms));
    EXPECT_TRUE(loop.run(notification.wait_past(notification.version(), Duration::max())));
}

TEST(Notification, wakes_who_waits_for_any_of_several)
{
    EventLoop loop;
    auto gone = std::make_unique<Notification>();
    Notification const second;
    std::vector<Watch> const watches { Watch(*gone, 0), Watch(second, 0) };
    gone.reset();
    loop.spawn(notify_after(second, 1ms));
    EXPECT_TRUE(loop.run(wait_for_any(watches, 5s)));
    EXPECT_FALSE(loop.run(wait_for_any({}, 1ms)));
}

} // namespace
} // namespace writ::net
