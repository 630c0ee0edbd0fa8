// SPDX-License-Identifier: Apache-2.0
//
// The file of the newest final checkpoint, replaced by a thread of its own: the loop does not wait for the disk.
#pragma once

#include "base/durable_file.h"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace writ::authority {

class FinalFile {
public:
    explicit FinalFile(Path file);
    ~FinalFile(); // after what it was given is written
    FinalFile(FinalFile const&) = delete;
    FinalFile& operator=(FinalFile const&) = delete;

    // REQUIRES: what was given before has been answered. `done` is called on the thread, once the bytes are durable.
    void replace(std::string text, std::function<void(Result<>)> done);

private:
    void work();

    Path const file_;
    std::mutex mutex_;
    std::condition_variable given_;
    std::optional<std::pair<std::string, std::function<void(Result<>)>>> next_; // under mutex_
    bool is_ending_ = false;                                                   // under mutex_
    std::thread thread_;
};

} // namespace writ::authority
