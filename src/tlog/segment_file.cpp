// SPDX-License-Identifier: Apache-2.0
#include "tlog/segment_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace writ::tlog {

namespace {

// How far ahead zeros are written: an eighth of what is there already, so that a small log stays small and a busy one waits for the file
// system's journal with few of its syncs.
constexpr std::uint64_t ahead_bytes_min = 64U << 10U, ahead_bytes_max = 1U << 20U;

constexpr std::size_t page_bytes = 4096;
constexpr std::array<std::uint8_t, 64U << 10U> zeros {};

std::string quoted(std::string_view verb, Path const& path) { return std::string(verb) + " `" + path.string() + "`"; }

} // namespace

Result<std::unique_ptr<Appender>> SegmentFile::open(Path const& path, std::uint64_t size)
{
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open())
        return errno_error(quoted("open", path), errno);
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0 || ::fsync(fd.get()) != 0)
        return errno_error(quoted("cut", path), errno);
    TRY(sync_folder(path.parent_path()));
    auto blocks = BlockWriter::open(path, fd.get(), size);
    return std::unique_ptr<Appender>(std::make_unique<SegmentFile>(path, std::move(fd), std::move(blocks), size, size));
}

std::unique_ptr<Appender> SegmentFile::adopt(Path path, UniqueFd fd, std::uint64_t length)
{
    auto blocks = BlockWriter::open(path, fd.get(), 0);
    return std::make_unique<SegmentFile>(std::move(path), std::move(fd), std::move(blocks), 0, length);
}

SegmentFile::~SegmentFile()
{
    // Zeros that stay are no harm: a reader knows them for what they are.
    if (fd_.is_open() && !is_refusing_ && length_ > size_)
        [[maybe_unused]] auto const ignored = ::ftruncate(fd_.get(), static_cast<off_t>(size_));
}

Error SegmentFile::refuse(Error error)
{
    is_refusing_ = true;
    return error;
}

// SECURITY: records appended to a file without a name, or behind a gap, would be acknowledged and lost.
Result<> SegmentFile::check_in_place()
{
    struct stat status { };
    if (::fstat(fd_.get(), &status) != 0)
        return refuse(errno_error(quoted("look at", path_), errno));
    if (status.st_nlink == 0)
        return refuse(corruption("`" + path_.string() + "` was removed beneath us"));
    if (static_cast<std::uint64_t>(status.st_size) != length_)
        return refuse(corruption("`" + path_.string() + "` has " + std::to_string(status.st_size) + " bytes and should have "
            + std::to_string(length_) + ": somebody else wrote to it"));
    return {};
}

Result<> SegmentFile::write_at(std::uint64_t offset, BytesView bytes)
{
    while (!bytes.empty()) {
        auto const written = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno_error(quoted("append to", path_), errno);
        offset += static_cast<std::uint64_t>(written);
        length_ = std::max(length_, offset);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
}

Result<> SegmentFile::write_and_extend(BytesView bytes)
{
    auto const end = size_ + bytes.size();
    auto const is_beyond = end > length_;
    TRY(write_at(size_, bytes));
    if (!is_beyond)
        return {};
    auto const ahead = std::clamp(end / 8, ahead_bytes_min, ahead_bytes_max);
    auto const goal = (end + ahead) / page_bytes * page_bytes;
    while (length_ < goal)
        TRY(write_at(length_, BytesView(zeros).first(std::min<std::size_t>(zeros.size(), goal - length_))));
    return {};
}

// Nothing of this append was acknowledged: cutting it off restores exactly what was there. Some of it may be on the disk, or all.
Result<> SegmentFile::cut_back(Error error)
{
    if (::ftruncate(fd_.get(), static_cast<off_t>(size_)) != 0 || ::fsync(fd_.get()) != 0)
        return refuse(errno_error(quoted("cut back", path_), errno));
    length_ = size_;
    return error;
}

// False: not this way.
Result<bool> SegmentFile::append_blocks(BytesView bytes)
{
    if (!blocks_.can_append(bytes.size(), length_))
        return false;
    auto const appended = blocks_.append(bytes).in(quoted("append to", path_));
    if (appended.is_ok())
        return true;
    if (appended.error().code == ErrorCode::invalid_argument)
        return false;
    if (appended.error().code == ErrorCode::resource_exhausted)
        return cut_back(appended.error()).error();
    return refuse(appended.error());
}

Result<> SegmentFile::append_through_cache(BytesView bytes)
{
    auto const written = write_and_extend(bytes);
    if (written.is_error() && written.error().code == ErrorCode::resource_exhausted)
        return cut_back(written.error());
    if (written.is_error())
        return refuse(written.error());
    if (::fdatasync(fd_.get()) != 0)
        return refuse(errno_error(quoted("sync", path_), errno));
    return {};
}

Result<> SegmentFile::append(BytesView bytes)
{
    if (is_refusing_)
        return unavailable("`" + path_.string() + "` refuses writes since one failed with an unknown outcome");
    TRY(check_in_place());
    if (!TRY(append_blocks(bytes)))
        TRY(append_through_cache(bytes));
    blocks_.passed(bytes);
    size_ += bytes.size();
    return {};
}

} // namespace writ::tlog
