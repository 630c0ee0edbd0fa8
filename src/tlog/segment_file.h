// SPDX-License-Identifier: Apache-2.0
//
// The file that a segment of the journal is written to. It grows over zeros ahead of its records, so that most appends write data alone and
// wait for no file system journal: past the page cache with one call, where the file system does that. Private to tlog. Not thread-safe.
#pragma once

#include "tlog/block_writer.h"

#include <functional>
#include <memory>

namespace writ::tlog {

// The seam for faults: a file that is appended to.
class Appender {
public:
    virtual ~Appender() = default;
    // Durable on success. On error is_refusing() holds from then on, and nobody knows what the disk has; but if the disk was full, nothing
    // of it is there and appends work again when it is not.
    virtual Result<> append(BytesView) = 0;
    [[nodiscard]] virtual std::uint64_t size() const = 0;
    [[nodiscard]] virtual bool is_refusing() const = 0;
};
using OpenAppender = std::function<Result<std::unique_ptr<Appender>>(Path const&, std::uint64_t size)>;

class SegmentFile final : public Appender {
public:
    // Opens or creates; `size` bytes are kept, the rest is cut off.
    static Result<std::unique_ptr<Appender>> open(Path const&, std::uint64_t size);

    // A file of `length` zeros, durable under this name.
    static std::unique_ptr<Appender> adopt(Path, UniqueFd, std::uint64_t length);

    ~SegmentFile() override; // cuts the zeros off
    SegmentFile(SegmentFile const&) = delete;
    SegmentFile& operator=(SegmentFile const&) = delete;

    // corruption, and refusing from then on, if somebody removed, cut or extended the file meanwhile.
    Result<> append(BytesView) override;
    [[nodiscard]] std::uint64_t size() const override { return size_; }
    [[nodiscard]] bool is_refusing() const override { return is_refusing_; }

    // For open() and adopt(), and for tests of what a BlockWriter may say.
    SegmentFile(Path path, UniqueFd fd, BlockWriter blocks, std::uint64_t size, std::uint64_t length)
        : path_(std::move(path))
        , fd_(std::move(fd))
        , blocks_(std::move(blocks))
        , size_(size)
        , length_(length)
    {
    }

private:
    Result<> check_in_place();
    Result<bool> append_blocks(BytesView);
    Result<> append_through_cache(BytesView);
    Result<> write_at(std::uint64_t offset, BytesView);
    Result<> write_and_extend(BytesView);
    Result<> cut_back(Error);
    Error refuse(Error);

    Path path_;
    UniqueFd fd_;
    BlockWriter blocks_;
    std::uint64_t size_;   // of what was appended
    std::uint64_t length_; // of the file
    bool is_refusing_ = false;
};

} // namespace writ::tlog
