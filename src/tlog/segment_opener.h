// SPDX-License-Identifier: Apache-2.0
//
// Opens segments of the journal, and has the next one ready: a file that is zeros as long as a segment can get, on the disk, written by a thread of its
// own while the one before it fills up. Then no sync of a commit waits for the file system's journal. Private to tlog. open() is one thread's at a time.
#pragma once

#include "base/unique_fd.h"
#include "tlog/segment_file.h"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

namespace writ::tlog {

class SegmentOpener {
public:
    // `spare` is where the next one lies until it gets its name, on the segments' file system; whatever is there is written over.
    SegmentOpener(Path spare, std::size_t segment_bytes);
    ~SegmentOpener(); // removes the spare
    SegmentOpener(SegmentOpener const&) = delete;
    SegmentOpener& operator=(SegmentOpener const&) = delete;

    // As SegmentFile::open().
    Result<std::unique_ptr<Appender>> open(Path const&, std::uint64_t size);

private:
    std::optional<UniqueFd> take();
    void request();
    void work();
    Result<UniqueFd> prepare();

    Path const spare_;
    std::size_t const bytes_;
    bool is_first_ = true; // of the calls of open()
    std::mutex mutex_;
    std::condition_variable wake_;
    std::optional<UniqueFd> ready_; // under mutex_, as all below
    bool is_requested_ = false;
    bool is_ending_ = false;
    std::thread thread_; // last: it uses all of the above
};

} // namespace writ::tlog
