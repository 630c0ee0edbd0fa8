// SPDX-License-Identifier: Apache-2.0
//
// Removes folders that others filled, on a thread of its own: however many files a job leaves behind, and however deep, nobody waits for them.
#pragma once

#include "base/durable_file.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

namespace writ::agent {

class FolderRemover {
public:
    FolderRemover();
    // Ends between two files. What is left then stays where it is.
    ~FolderRemover();
    FolderRemover(FolderRemover const&) = delete;
    FolderRemover& operator=(FolderRemover const&) = delete;

    // Returns at once. SECURITY: links are not followed; nobody else's files go but those in the folder.
    void remove(Path folder);

private:
    void run(std::stop_token stop);

    std::mutex mutex_;
    std::condition_variable_any asked_;
    std::deque<Path> folders_;
    std::jthread thread_; // last: it uses all of the above
};

// Takes entries away until none is left. False: it was stopped, there are too many, or one cannot be removed; what could be is gone.
bool remove_folder(Path const& folder, std::stop_token stop);

} // namespace writ::agent
