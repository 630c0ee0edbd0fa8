// SPDX-License-Identifier: Apache-2.0
//
// Questions that read the whole log: one at a time, on a thread of its own that yields to those that somebody waits for. One thread may call it: that of the event loop.
#pragma once

#include "base/clock.h"
#include "net/http_message.h"
#include "net/task.h"
#include "replay/entry_source.h"

#include <thread>

namespace writ::authority {

// LIMIT: one question; some hundred million records.
inline constexpr Duration replay_time_max = std::chrono::minutes(10);

class ReplayDesk {
public:
    // Called on the thread, with the log as its checkpoint has it. What it works with is its own.
    using Question = std::function<Result<net::Response>(replay::EntrySource const&)>;

    // The clock outlives it.
    ReplayDesk(Path log_folder, Clock const&);
    ~ReplayDesk(); // ends the question under way
    ReplayDesk(ReplayDesk const&) = delete;
    ReplayDesk& operator=(ReplayDesk const&) = delete;

    // unavailable: another question is under way, or whoever asked this one has left. resource_exhausted: it took longer than replay_time_max.
    net::Task<Result<net::Response>> ask(Question, std::function<bool()> has_left);
    // The question under way ends with its next file of the log, and is answered `unavailable`.
    void end();

private:
    struct Asked;
    static void answer(Asked&, Question const&, Path const& log_folder, Clock const&);

    Path log_folder_;
    Clock const& clock_;
    std::shared_ptr<Asked> asked_; // none: none is under way
    std::thread thread_;           // of that one
};

} // namespace writ::authority
