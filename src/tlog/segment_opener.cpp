// SPDX-License-Identifier: Apache-2.0
#include "tlog/segment_opener.h"

#include "base/background.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace writ::tlog {

namespace {

// What a group may take beyond the length at which its segment is left.
constexpr std::size_t slack_share = 16;
// So many bytes go to the disk at once, and then it is the commits' for a while: a segment takes them longer than this.
constexpr std::size_t piece_bytes = 256U << 10U;
constexpr std::chrono::milliseconds pause { 1 };
constexpr std::array<std::uint8_t, piece_bytes> zeros {};

} // namespace

SegmentOpener::SegmentOpener(Path spare, std::size_t segment_bytes)
    : spare_(std::move(spare))
    , bytes_(segment_bytes + segment_bytes / slack_share)
    , thread_([this] { work(); })
{
}

SegmentOpener::~SegmentOpener()
{
    {
        std::scoped_lock const lock(mutex_);
        is_ending_ = true;
    }
    wake_.notify_one();
    thread_.join();
    ::unlink(spare_.c_str());
}

// A log that has never filled a segment needs no spare.
Result<std::unique_ptr<Appender>> SegmentOpener::open(Path const& path, std::uint64_t size)
{
    if (std::exchange(is_first_, false) || size != 0)
        return SegmentFile::open(path, size);
    auto spare = take();
    auto const is_placed = spare && ::rename(spare_.c_str(), path.c_str()) == 0;
    request();
    if (!is_placed)
        return SegmentFile::open(path, 0);
    TRY(sync_folder(path.parent_path()));
    return SegmentFile::adopt(path, std::move(*spare), bytes_);
}

std::optional<UniqueFd> SegmentOpener::take()
{
    std::scoped_lock const lock(mutex_);
    return std::exchange(ready_, std::nullopt);
}

void SegmentOpener::request()
{
    {
        std::scoped_lock const lock(mutex_);
        is_requested_ = true;
    }
    wake_.notify_one();
}

void SegmentOpener::work()
{
    run_in_background();
    std::unique_lock lock(mutex_);
    for (;;) {
        wake_.wait(lock, [this] { return is_ending_ || (is_requested_ && !ready_); });
        if (is_ending_)
            return;
        is_requested_ = false;
        lock.unlock();
        auto prepared = prepare();
        // A disk without room for it has room for a segment that grows.
        if (prepared.is_error())
            ::unlink(spare_.c_str());
        lock.lock();
        if (prepared.is_ok())
            ready_ = std::move(prepared).value();
    }
}

Result<UniqueFd> SegmentOpener::prepare()
{
    UniqueFd fd(::open(spare_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open())
        return errno_error("create `" + spare_.string() + "`", errno);
    for (std::size_t written = 0; written < bytes_;) {
        auto const got = ::pwrite(fd.get(), zeros.data(), std::min(zeros.size(), bytes_ - written), static_cast<off_t>(written));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return errno_error("write `" + spare_.string() + "`", errno);
        ::sync_file_range(fd.get(), static_cast<off_t>(written), got, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
        written += static_cast<std::size_t>(got);
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, pause, [this] { return is_ending_; }))
            return unavailable("the log ends");
    }
    if (::fsync(fd.get()) != 0)
        return errno_error("sync `" + spare_.string() + "`", errno);
    return fd;
}

} // namespace writ::tlog
