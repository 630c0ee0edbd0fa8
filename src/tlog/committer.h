// SPDX-License-Identifier: Apache-2.0
//
// Group commit: one thread writes to the journal whatever has gathered while the last sync ran, and tells whoever waits for it. No timers:
// a commit begins when the last one has ended and something waits. Private to tlog. Thread-safe.
#pragma once

#include "tlog/journal.h"

#include <condition_variable>
#include <thread>

namespace writ::tlog {

using Appended = std::function<void(Result<std::uint64_t>)>;

class Committer {
public:
    // `durable` is called on the thread with each group, before those who wait for it.
    Committer(std::unique_ptr<Journal>, std::size_t waiting_records_max, std::function<void(GroupPtr)> durable);
    ~Committer();
    void end(); // commits what waits, and nothing more
    Committer(Committer const&) = delete;
    Committer& operator=(Committer const&) = delete;

    void append(Bytes record, Appended done);

    // No append succeeds any more.
    void refuse(Error const&);
    [[nodiscard]] bool is_refusing() const { return is_refusing_; }

    [[nodiscard]] Journal& journal() { return *journal_; } // for what it lets other threads call

private:
    struct Waiting {
        Bytes record;
        Appended done;
    };
    std::optional<Error> enqueue(Waiting&);
    std::vector<Waiting> take_waiting();
    void work();
    std::span<Waiting> commit(std::span<Waiting>);
    Result<std::uint64_t> write(std::span<Waiting const>);

    std::unique_ptr<Journal> const journal_; // the thread's, but for what it lets others call
    std::size_t const waiting_records_max_;
    std::function<void(GroupPtr)> const durable_;
    std::atomic<bool> is_refusing_ = false;
    std::mutex mutex_;
    std::condition_variable appended_;
    std::vector<Waiting> waiting_; // under mutex_, as all below
    std::size_t committing_ = 0;
    bool is_idle_ = false; // the thread waits for records
    bool is_ending_ = false;
    std::string refusal_;
    std::thread thread_; // last: it uses all of the above
};

} // namespace writ::tlog
