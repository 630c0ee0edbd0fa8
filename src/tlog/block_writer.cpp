// SPDX-License-Identifier: Apache-2.0
#include "tlog/block_writer.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

namespace writ::tlog {

namespace {

bool are_one_file(int a, int b)
{
    struct stat first { }, second { };
    return ::fstat(a, &first) == 0 && ::fstat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

} // namespace

BlockWriter::BlockWriter(UniqueFd direct, std::uint64_t size, BytesView tail)
    : direct_(std::move(direct))
    , size_(size - tail.size())
{
    passed(tail);
}

BlockWriter BlockWriter::open(Path const& path, int fd, std::uint64_t size)
{
    UniqueFd direct(::open(path.c_str(), O_WRONLY | O_DIRECT | O_DSYNC | O_CLOEXEC | O_NOFOLLOW));
    if (!direct.is_open() || !are_one_file(fd, direct.get()))
        return {};
    std::array<std::uint8_t, block_bytes> tail {};
    auto const bytes = size % block_bytes;
    if (bytes > 0 && ::pread(fd, tail.data(), bytes, static_cast<off_t>(size - bytes)) != static_cast<ssize_t>(bytes))
        return {};
    return { std::move(direct), size, BytesView(tail).first(bytes) };
}

bool BlockWriter::can_append(std::size_t bytes, std::uint64_t length) const
{
    auto const blocks = blocks_for(bytes);
    return direct_.is_open() && blocks <= blocks_max && size_ - tail_ + blocks * block_bytes <= length;
}

// Whole blocks: the tail, the bytes, and zeros as the file has them there.
BytesView BlockWriter::arrange(BytesView bytes)
{
    auto const blocks = blocks_for(bytes.size());
    if (blocks_.size() < blocks)
        blocks_.resize(blocks);
    auto* const memory = blocks_.front().bytes.data();
    std::memcpy(memory + tail_, bytes.data(), bytes.size());
    std::memset(memory + tail_ + bytes.size(), 0, blocks * block_bytes - tail_ - bytes.size());
    return { memory, blocks * block_bytes };
}

// A power loss may tear the first block, which has acknowledged bytes: sector by sector it is the old one or the new one, and both have them. The page
// cache's way writes the same block again.
Result<> BlockWriter::append(BytesView bytes)
{
    auto offset = size_ - tail_;
    for (auto rest = arrange(bytes); !rest.empty();) {
        auto const written = ::pwrite(direct_.get(), rest.data(), rest.size(), static_cast<off_t>(offset));
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EINVAL) {
            direct_.reset();
            return invalid_argument("no direct writes");
        }
        if (written < 0)
            return errno_error("write and sync", errno);
        auto const whole = static_cast<std::size_t>(written) / block_bytes * block_bytes;
        if (whole == 0)
            return unavailable("write and sync: less than a block was written");
        offset += whole;
        rest = rest.subspan(whole);
    }
    return {};
}

void BlockWriter::passed(BytesView bytes)
{
    size_ += bytes.size();
    if (!direct_.is_open())
        return;
    auto const tail = (tail_ + bytes.size()) % block_bytes;
    auto const kept = tail > bytes.size() ? tail - bytes.size() : 0; // of the tail before
    if (blocks_.empty())
        blocks_.resize(1);
    if (tail > kept)
        std::memcpy(blocks_.front().bytes.data() + kept, bytes.last(tail - kept).data(), tail - kept);
    tail_ = tail;
}

} // namespace writ::tlog
