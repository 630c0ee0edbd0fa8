// SPDX-License-Identifier: Apache-2.0
//
// Appends to a file where it has bytes already, past the page cache (O_DIRECT, O_DSYNC): what one call has written is on the disk, without a sync
// behind it. Whole blocks go there, so the one in which the file's last append ended is written again with what it has. Private to tlog. Not thread-safe.
#pragma once

#include "base/durable_file.h"
#include "base/unique_fd.h"

#include <array>
#include <vector>

namespace writ::tlog {

class BlockWriter {
public:
    // Appends nothing.
    BlockWriter() = default;
    // `tail` is what a file has behind the beginning of a block, up to where the next append goes.
    BlockWriter(UniqueFd direct, std::uint64_t size, BytesView tail);

    // Of the file of `size` bytes that both descriptor and path are of. One that appends nothing: the file system does not do that, or it cannot be known.
    static BlockWriter open(Path const&, int fd, std::uint64_t size);

    // Whether the file, of this length, has all the blocks that so many bytes need, and they are not too many.
    [[nodiscard]] bool can_append(std::size_t bytes, std::uint64_t length) const;

    // Durable on success. invalid_argument: nothing was written, and this file takes none from now on. After another error nobody knows what the
    // disk has of it; `passed` as if it had not been. REQUIRES: can_append().
    Result<> append(BytesView);

    // These bytes were appended, this way or another.
    void passed(BytesView);

private:
    static constexpr std::size_t block_bytes = 4096; // what disks and file systems ask for; where it is more, append() finds out
    struct alignas(block_bytes) Block {
        std::array<std::uint8_t, block_bytes> bytes {};
    };
    // LIMIT: beyond it the copy into these blocks costs what the page cache does.
    static constexpr std::size_t blocks_max = (64U << 10U) / block_bytes;

    [[nodiscard]] std::size_t blocks_for(std::size_t bytes) const { return (tail_ + bytes + block_bytes - 1) / block_bytes; }
    BytesView arrange(BytesView);

    UniqueFd direct_;
    std::uint64_t size_ = 0;    // of the file, zeros ahead left out
    std::size_t tail_ = 0;      // of it, behind the last whole block
    std::vector<Block> blocks_; // begins with the tail
};

} // namespace writ::tlog
