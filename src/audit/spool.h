// SPDX-License-Identifier: Apache-2.0
//
// Where records wait while the log cannot be written, for decisions whose policies would rather be served: in order, durable, bounded, in a
// folder of its own that may be on another disk. docs/formats/audit-spool.md has the file. Thread-safe; writes come on a thread of its own, as many
// with one sync as gathered while the last one ran.
#pragma once

#include "base/unique_fd.h"
#include "tlog/segment_file.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace writ::tlog {
class Group;
}

namespace writ::audit {

// LIMIT: some 60,000 records; a spool that is full refuses, as a log that is.
inline constexpr std::size_t spool_bytes_default = std::size_t(64) << 20U;

struct SpoolOptions {
    Path folder;
    std::size_t bytes_max = spool_bytes_default;
};

struct SpoolContents {
    std::uint64_t log_size = 0; // records of the log when the first was spooled: whichever of them the log has all the same lie from there on
    std::vector<std::string> texts;
    bool is_sealed = false; // the last one is the record of the gap; nothing comes behind it
    std::size_t bytes = 0;  // of the file that are whole
};
// What is in a spool's file; a torn end, which was never acknowledged, is left out. corruption: a byte is not what was written.
Result<SpoolContents> parse_spool(BytesView);

class Spool {
public:
    // Creates the folder; reads back what waits there. conflict: another process has it.
    static Result<std::unique_ptr<Spool>> open(SpoolOptions);
    ~Spool(); // after what it was given is written
    Spool(Spool const&) = delete;
    Spool& operator=(Spool const&) = delete;

    // Calls back on the spool's thread once the record is durable. resource_exhausted: full, or its disk is. conflict: sealed.
    void append(std::string text, std::uint64_t log_size, std::function<void(Result<>)> done);
    // Appends the record of the gap, made of what is there then, and takes nothing more.
    void seal(std::function<std::string(SpoolContents const&)> make, std::function<void(Result<>)> done);
    // Forgets everything: all of it is in the log. REQUIRES: sealed.
    Result<> clear();

    // What is durable.
    [[nodiscard]] bool is_empty() const;
    [[nodiscard]] bool is_sealed() const;
    [[nodiscard]] std::size_t count() const;
    [[nodiscard]] std::uint64_t log_size() const;
    [[nodiscard]] std::string text(std::size_t place) const;

private:
    struct Waiting {
        std::string text;
        std::uint64_t log_size = 0;
        std::function<std::string(SpoolContents const&)> seal; // makes the text, and nothing comes behind it
        std::function<void(Result<>)> done;
        Result<> outcome;
    };
    Spool(SpoolOptions options, UniqueFd lock, SpoolContents contents);
    void enqueue(Waiting waiting);
    void work();
    std::vector<Waiting> take_waiting(); // under mutex_
    void write(std::vector<Waiting>& batch);
    [[nodiscard]] Result<> admit(Waiting const& waiting, std::size_t bytes) const;
    Result<> append(std::vector<Waiting const*> const& admitted);
    Result<> write_group(tlog::Group const& group);
    [[nodiscard]] Path file() const { return options_.folder / "records"; }

    SpoolOptions const options_;
    UniqueFd const lock_;
    std::mutex writing_;                       // held by who changes the file
    std::unique_ptr<tlog::Appender> appender_; // under writing_; null: there is no file
    mutable std::mutex mutex_;
    std::condition_variable given_;
    SpoolContents contents_; // changed under both, as the next two under mutex_
    std::deque<Waiting> waiting_;
    bool is_ending_ = false;
    std::thread thread_; // last: it uses all of the above
};

} // namespace writ::audit
