// SPDX-License-Identifier: Apache-2.0
#include "tlog/tail.h"

#include <algorithm>

namespace writ::tlog {

Tail::Tail(std::uint64_t settled, std::vector<GroupPtr> const& groups)
    : first_(settled)
    , size_(settled)
{
    for (auto const& group : groups)
        if (group->end() > settled)
            append(group);
}

void Tail::append(GroupPtr group)
{
    std::scoped_lock const lock(mutex_);
    bytes_ += group->bytes().size();
    size_ = group->end();
    groups_.push_back(std::move(group));
}

std::size_t Tail::position_of(std::uint64_t index) const
{
    auto const after = std::ranges::upper_bound(groups_, index, {}, [](GroupPtr const& group) { return group->first(); });
    return static_cast<std::size_t>(after - groups_.begin()) - (after == groups_.begin() ? 0 : 1);
}

std::vector<GroupPtr> Tail::groups_from(std::uint64_t index) const
{
    std::scoped_lock const lock(mutex_);
    ASSERT(index >= first_);
    if (index >= size_)
        return {};
    return { groups_.begin() + static_cast<std::ptrdiff_t>(position_of(index)), groups_.end() };
}

std::optional<std::vector<Bytes>> Tail::read(std::uint64_t first, std::size_t count) const
{
    std::scoped_lock const lock(mutex_);
    if (first < first_)
        return std::nullopt;
    std::vector<Bytes> records;
    for (auto at = first < size_ ? position_of(first) : groups_.size(); at < groups_.size() && records.size() < count; ++at)
        for (auto const& group = *groups_[at]; first < group.end() && records.size() < count; ++first) {
            auto const record = group.record(first);
            records.emplace_back(record.begin(), record.end());
        }
    return records;
}

void Tail::drop_before(std::uint64_t index)
{
    std::scoped_lock const lock(mutex_);
    first_ = std::max(first_, index);
    while (!groups_.empty() && groups_.front()->end() <= first_) {
        bytes_ -= groups_.front()->bytes().size();
        groups_.pop_front();
    }
}

} // namespace writ::tlog
