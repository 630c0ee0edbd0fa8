// SPDX-License-Identifier: Apache-2.0
#include "cedar/slot.h"

#include <algorithm>

namespace writ::cedar {

Slot Slot::of(bool value)
{
    Slot slot;
    slot.truth = value;
    return slot;
}

Slot Slot::of(std::int64_t value, Tag tag)
{
    Slot slot;
    slot.tag = tag;
    slot.number = value;
    return slot;
}

Slot Slot::of(std::string const& value)
{
    Slot slot;
    slot.tag = Tag::string;
    slot.extent = static_cast<std::uint32_t>(value.size());
    slot.text = value.data();
    return slot;
}

Slot Slot::of(EntityUid const& value, std::uint32_t index)
{
    Slot slot;
    slot.tag = Tag::entity;
    slot.extent = index;
    slot.uid = &value;
    return slot;
}

Slot Slot::of(Value const& value)
{
    Slot slot;
    auto const& storage = value.storage();
    slot.tag = static_cast<Tag>(storage.index());
    switch (slot.tag) {
    case Tag::boolean: slot.truth = *std::get_if<bool>(&storage); break;
    case Tag::number: slot.number = *std::get_if<std::int64_t>(&storage); break;
    case Tag::string: return of(*std::get_if<std::string>(&storage));
    case Tag::entity: return of(*std::get_if<EntityUid>(&storage));
    case Tag::set: slot.set = std::get_if<std::shared_ptr<Set const>>(&storage)->get(); break;
    case Tag::record: slot.record = std::get_if<std::shared_ptr<Record const>>(&storage)->get(); break;
    case Tag::decimal: slot.number = std::get_if<Decimal>(&storage)->ten_thousandths; break;
    case Tag::datetime: slot.number = std::get_if<Datetime>(&storage)->milliseconds; break;
    case Tag::duration: slot.number = std::get_if<DurationValue>(&storage)->milliseconds; break;
    default: slot.address = std::get_if<IpAddress>(&storage); break;
    }
    return slot;
}

namespace {

Slot::Tag kind_of(Slot const& slot)
{
    if (slot.tag == Slot::Tag::list)
        return Slot::Tag::set;
    return slot.tag == Slot::Tag::members ? Slot::Tag::record : slot.tag;
}

std::strong_ordering compare_entities(Slot const& left, Slot const& right)
{
    if (left.uid == right.uid || (left.extent == right.extent && left.extent != no_index))
        return std::strong_ordering::equal;
    return *left.uid <=> *right.uid;
}

std::strong_ordering compare_sets(Slot const& left, Slot const& right)
{
    auto const left_size = size_of(left);
    auto const right_size = size_of(right);
    for (std::size_t i = 0; i < std::min(left_size, right_size); ++i)
        if (auto const order = compare(element_at(left, i), element_at(right, i)); order != 0)
            return order;
    return left_size <=> right_size;
}

// Walks a record of either make by name.
class MemberCursor {
public:
    explicit MemberCursor(Slot const& record)
        : record_(record)
    {
        if (record.tag == Slot::Tag::record)
            at_ = record.record->begin();
    }
    [[nodiscard]] bool at_end() const { return record_.tag == Slot::Tag::record ? at_ == record_.record->end() : index_ == record_.extent; }
    [[nodiscard]] std::string const& name() const { return record_.tag == Slot::Tag::record ? at_->first : *record_.members[index_].name; }
    [[nodiscard]] Slot value() const { return record_.tag == Slot::Tag::record ? Slot::of(at_->second) : record_.members[index_].value; }
    void advance()
    {
        if (record_.tag == Slot::Tag::record)
            ++at_;
        else
            ++index_;
    }

private:
    Slot record_;
    Record::const_iterator at_;
    std::size_t index_ = 0;
};

std::strong_ordering compare_records(Slot const& left, Slot const& right)
{
    MemberCursor a(left);
    MemberCursor b(right);
    for (; !a.at_end() && !b.at_end(); a.advance(), b.advance()) {
        if (auto const order = a.name() <=> b.name(); order != 0)
            return order;
        if (auto const order = compare(a.value(), b.value()); order != 0)
            return order;
    }
    return !a.at_end() <=> !b.at_end();
}

} // namespace

std::strong_ordering compare(Slot const& left, Slot const& right)
{
    auto const kind = kind_of(left);
    if (auto const by_kind = kind <=> kind_of(right); by_kind != 0)
        return by_kind;
    switch (kind) {
    case Slot::Tag::boolean: return left.truth <=> right.truth;
    case Slot::Tag::string: return left.string() <=> right.string();
    case Slot::Tag::entity: return compare_entities(left, right);
    case Slot::Tag::set: return compare_sets(left, right);
    case Slot::Tag::record: return compare_records(left, right);
    case Slot::Tag::ip_address: return *left.address <=> *right.address;
    default: return left.number <=> right.number;
    }
}

bool is_equal(Slot const& left, Slot const& right)
{
    if (left.tag == right.tag) {
        if (left.tag == Slot::Tag::string)
            return left.extent == right.extent && (left.text == right.text || left.string() == right.string());
        if (left.tag == Slot::Tag::entity) {
            if (left.extent != no_index && right.extent != no_index)
                return left.extent == right.extent;
            return left.uid == right.uid || *left.uid == *right.uid;
        }
        if (left.tag == Slot::Tag::set && left.set->size() != right.set->size())
            return false;
    }
    return compare(left, right) == 0;
}

std::size_t size_of(Slot const& set) { return set.tag == Slot::Tag::set ? set.set->size() : set.extent; }

Slot element_at(Slot const& set, std::size_t index) { return set.tag == Slot::Tag::set ? Slot::of((*set.set)[index]) : set.elements[index]; }

bool contains(Slot const& set, Slot const& element)
{
    static constexpr std::size_t few = 8;
    auto const size = size_of(set);
    if (size <= few) {
        for (std::size_t i = 0; i < size; ++i)
            if (is_equal(element_at(set, i), element))
                return true;
        return false;
    }
    std::size_t low = 0;
    for (std::size_t high = size; low < high;) {
        auto const middle = (low + high) / 2;
        auto const order = compare(element_at(set, middle), element);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool find_member(Slot const& record, std::string const& name, Slot& found)
{
    if (record.tag == Slot::Tag::record) {
        auto const member = record.record->find(name);
        if (member == record.record->end())
            return false;
        found = Slot::of(member->second);
        return true;
    }
    for (std::size_t i = 0; i < record.extent; ++i)
        if (*record.members[i].name == name) {
            found = record.members[i].value;
            return true;
        }
    return false;
}

} // namespace writ::cedar
