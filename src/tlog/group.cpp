// SPDX-License-Identifier: Apache-2.0
#include "tlog/group.h"

#include "base/limits.h"

#include <algorithm>
#include <cstring>

namespace writ::tlog {

namespace {

constexpr std::size_t record_head_bytes = 2 + journal_checksum_bytes;

std::string entry_name(std::uint64_t index) { return "entry " + std::to_string(index); }

} // namespace

void put_number(Bytes& out, std::uint64_t number, std::size_t width)
{
    for (auto shift = width * 8; shift > 0; shift -= 8)
        out.push_back(static_cast<std::uint8_t>(number >> (shift - 8)));
}

std::uint64_t number_of(BytesView bytes)
{
    std::uint64_t number = 0;
    for (auto const byte : bytes)
        number = number << 8U | byte;
    return number;
}

void put_checksum(Bytes& out, std::size_t head_begin)
{
    auto const digest = crypto::sha256(BytesView(out).subspan(head_begin));
    out.insert(out.end(), digest.begin(), digest.begin() + journal_checksum_bytes);
}

bool is_head_whole(BytesView head)
{
    auto const digest = crypto::sha256(head.first(head.size() - journal_checksum_bytes));
    return std::ranges::equal(head.last(journal_checksum_bytes), BytesView(digest).first(journal_checksum_bytes));
}

std::optional<GroupHead> parse_group_head(BytesView bytes)
{
    auto const head = bytes.first(std::min(bytes.size(), group_head_bytes));
    if (head.size() < group_head_bytes || as_text(head.first(group_magic.size())) != group_magic || !is_head_whole(head))
        return std::nullopt;
    return GroupHead { .count = number_of(head.subspan(4, 4)), .bytes = number_of(head.subspan(8, 4)), .first = number_of(head.subspan(12, 8)) };
}

GroupPtr Group::encode(std::uint64_t first, std::span<BytesView const> records)
{
    ASSERT(!records.empty());
    std::size_t size = 0;
    for (auto const& record : records) {
        ASSERT(record.size() <= limits::record_bytes_max);
        size += record_head_bytes + record.size();
    }
    auto group = std::make_shared<Group>();
    group->first_ = first;
    group->leaves_.resize(records.size());
    leaf_hashes(records, group->leaves_);
    group->ends_.reserve(records.size());
    auto& bytes = group->bytes_;
    bytes.reserve(group_head_bytes + size);
    bytes.insert(bytes.end(), group_magic.begin(), group_magic.end());
    put_number(bytes, records.size(), 4);
    put_number(bytes, size, 4);
    put_number(bytes, first, 8);
    put_checksum(bytes, 0);
    for (std::size_t i = 0; i < records.size(); ++i) {
        put_number(bytes, records[i].size(), 2);
        auto const& leaf = group->leaves_[i];
        bytes.insert(bytes.end(), leaf.begin(), leaf.begin() + journal_checksum_bytes);
        bytes.insert(bytes.end(), records[i].begin(), records[i].end());
        group->ends_.push_back(static_cast<std::uint32_t>(bytes.size()));
    }
    return group;
}

Result<GroupPtr> Group::parse(GroupHead const& head, BytesView bytes)
{
    if (head.count == 0 || head.count > head.bytes / record_head_bytes || head.bytes > 2 * group_bytes_max)
        return corruption(entry_name(head.first) + " is in a group that cannot be");
    auto group = std::make_shared<Group>();
    group->first_ = head.first;
    group->bytes_.assign(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(group_head_bytes + head.bytes));
    std::vector<BytesView> records;
    auto rest = BytesView(group->bytes_).subspan(group_head_bytes);
    for (std::size_t i = 0; i < head.count; ++i) {
        auto const size = rest.size() < record_head_bytes ? 0 : number_of(rest.first(2));
        if (rest.size() < record_head_bytes + size)
            return corruption(entry_name(head.first + i) + " is not what was written");
        records.push_back(rest.subspan(record_head_bytes, size));
        rest = rest.subspan(record_head_bytes + size);
        group->ends_.push_back(static_cast<std::uint32_t>(group->bytes_.size() - rest.size()));
    }
    group->leaves_.resize(records.size());
    leaf_hashes(records, group->leaves_);
    for (std::size_t i = 0; i < records.size(); ++i) {
        auto const checksum = BytesView(records[i].data() - journal_checksum_bytes, journal_checksum_bytes);
        if (!std::ranges::equal(checksum, BytesView(group->leaves_[i]).first(journal_checksum_bytes)))
            return corruption(entry_name(head.first + i) + " is not what was written");
    }
    if (!rest.empty())
        return corruption("bytes behind " + entry_name(head.first + head.count - 1));
    return GroupPtr(std::move(group));
}

BytesView Group::record(std::uint64_t index) const
{
    auto const i = index - first_;
    auto const begin = (i == 0 ? group_head_bytes : ends_[i - 1]) + record_head_bytes;
    return BytesView(bytes_).subspan(begin, ends_[i] - begin);
}

} // namespace writ::tlog
