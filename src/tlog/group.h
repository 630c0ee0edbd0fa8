// SPDX-License-Identifier: Apache-2.0
//
// Records that became durable with one sync, as the journal holds them: one block of memory from the sync to the tiles. Private to tlog.
// Immutable, so thread-safe.
#pragma once

#include "tlog/merkle_tree.h"

#include <memory>
#include <optional>

namespace writ::tlog {

// LIMIT: of one group, so that one sync does not keep a thousand waiting for a megabyte each.
inline constexpr std::size_t group_bytes_max = 4U << 20U;
inline constexpr std::size_t group_records_max = 16'384;

inline constexpr std::size_t journal_checksum_bytes = 8;
inline constexpr std::size_t group_head_bytes = 4 + 4 + 4 + 8 + journal_checksum_bytes;
inline constexpr std::string_view group_magic = "WGRP";

struct GroupHead {
    std::size_t count, bytes; // of the body
    std::uint64_t first;
};
// Nothing: not what was written.
std::optional<GroupHead> parse_group_head(BytesView);

class Group {
public:
    // REQUIRES: within the limits above; none longer than limits::record_bytes_max, at least one.
    static std::shared_ptr<Group const> encode(std::uint64_t first, std::span<BytesView const> records);
    // The head that begins `bytes`, and all of the body behind it. corruption names the record.
    static Result<std::shared_ptr<Group const>> parse(GroupHead const&, BytesView bytes);

    [[nodiscard]] std::uint64_t first() const { return first_; }
    [[nodiscard]] std::uint64_t end() const { return first_ + leaves_.size(); }
    [[nodiscard]] BytesView bytes() const { return bytes_; } // as in the journal
    [[nodiscard]] std::span<Hash const> leaves() const { return leaves_; }
    // Of the log's record `index`. REQUIRES: first() <= index < end().
    [[nodiscard]] BytesView record(std::uint64_t index) const;
    [[nodiscard]] Hash const& leaf(std::uint64_t index) const { return leaves_[index - first_]; }

private:
    std::uint64_t first_ = 0;
    Bytes bytes_;
    std::vector<std::uint32_t> ends_; // of each record in bytes_
    std::vector<Hash> leaves_;
};
using GroupPtr = std::shared_ptr<Group const>;

// What both heads of the journal's format are made of. Numbers are big-endian; a head ends with the checksum of what stands before it.
void put_number(Bytes&, std::uint64_t number, std::size_t width);
std::uint64_t number_of(BytesView);
void put_checksum(Bytes&, std::size_t head_begin);
bool is_head_whole(BytesView head);

} // namespace writ::tlog
