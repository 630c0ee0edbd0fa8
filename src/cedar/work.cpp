// SPDX-License-Identifier: Apache-2.0
#include "cedar/work.h"

#include <algorithm>

namespace writ::cedar {

namespace {

// A value's parts, counted until the limit is passed.
class Counter {
public:
    std::uint64_t count(Value const& value)
    {
        add(value);
        return steps_;
    }
    std::uint64_t count(Slot const& slot)
    {
        add(slot);
        return steps_;
    }

private:
    void add(Value const& value)
    {
        auto const& storage = value.storage();
        if (auto const* const text = std::get_if<std::string>(&storage))
            steps_ += text->size() / bytes_per_step;
        else if (auto const* const set = std::get_if<std::shared_ptr<Set const>>(&storage))
            add(**set);
        else if (auto const* const record = std::get_if<std::shared_ptr<Record const>>(&storage))
            add(**record);
    }
    void add(Set const& set)
    {
        steps_ += set.size();
        for (auto const& element : set) {
            if (steps_ > evaluation_work_max)
                return;
            add(element);
        }
    }
    void add(Record const& record)
    {
        steps_ += record.size();
        for (auto const& [name, member] : record) {
            if (steps_ > evaluation_work_max)
                return;
            add(member);
        }
    }
    void add(Slot const& slot)
    {
        switch (slot.tag) {
        case Slot::Tag::string: steps_ += slot.extent / bytes_per_step; return;
        case Slot::Tag::set: add(*slot.set); return;
        case Slot::Tag::record: add(*slot.record); return;
        case Slot::Tag::list:
        case Slot::Tag::members: break;
        default: return;
        }
        steps_ += slot.extent;
        for (std::uint32_t i = 0; i < slot.extent && steps_ <= evaluation_work_max; ++i)
            add(slot.tag == Slot::Tag::list ? slot.elements[i] : slot.members[i].value);
    }

    std::uint64_t steps_ = 0;
};

} // namespace

std::uint64_t work_of(Value const& value) { return Counter().count(value); }
std::uint64_t work_of(Slot const& slot) { return Counter().count(slot); }

bool is_folded(Expression const& expression)
{
    switch (expression.op) {
    case Operator::literal: return true;
    case Operator::set:
    case Operator::record:
    case Operator::call:
    case Operator::minus:
    case Operator::plus:
    case Operator::difference:
    case Operator::product: return std::all_of(expression.children.begin(), expression.children.end(), is_folded);
    default: return false;
    }
}

} // namespace writ::cedar
