// SPDX-License-Identifier: Apache-2.0
#include "cedar/machine.h"

#include "cedar/work.h"

#include <algorithm>

namespace writ::cedar {

namespace {

bool has_index(std::span<std::uint32_t const> sorted, std::uint32_t index)
{
    static constexpr std::size_t few = 16;
    if (sorted.size() <= few)
        return std::find(sorted.begin(), sorted.end(), index) != sorted.end();
    return std::binary_search(sorted.begin(), sorted.end(), index);
}

bool yield(bool value, Slot& result)
{
    result = Slot::of(value);
    return true;
}

} // namespace

void* Arena::allocate(std::size_t bytes)
{
    // LIMIT: of the first block; a request's own sets and records are far smaller.
    static constexpr std::size_t first_block_bytes = 4096;
    bytes = (bytes + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t) * sizeof(std::max_align_t);
    while (end_.block < blocks_.size() && blocks_[end_.block].bytes - end_.used < bytes)
        end_ = { end_.block + 1, 0 };
    if (end_.block == blocks_.size()) {
        auto const size = std::max(bytes, blocks_.empty() ? first_block_bytes : blocks_.back().bytes * 2);
        blocks_.push_back({ std::make_unique<std::max_align_t[]>((size + sizeof(std::max_align_t) - 1) / sizeof(std::max_align_t)), size });
        end_.used = 0;
    }
    auto* const place = reinterpret_cast<char*>(blocks_[end_.block].memory.get()) + end_.used;
    end_.used += bytes;
    return place;
}

void Machine::begin(Request const& request, EntityStore const* front)
{
    arena_.reset();
    request_ = &request;
    front_ = front != nullptr && front->size() > 0 ? front : nullptr;
    std::array<EntityUid const*, 3> const uids { &request.principal, &request.action, &request.resource };
    std::array<std::uint64_t, 3> hashes;
    for (std::size_t i = 0; i < uids.size(); ++i) {
        hashes[i] = EntityIndex::hash(*uids[i]);
        program_.index.prefetch(hashes[i]);
    }
    for (auto const hash : hashes)
        prefetch_row(program_.index.likely(hash));
    for (std::size_t i = 0; i < uids.size(); ++i)
        variables_[i] = { .uid = uids[i], .index = program_.find(*uids[i], hashes[i]) };
    complete(variables_[0]);
    complete(variables_[1]);
    request_end_ = arena_.mark();
    complete(variables_[2]);
    prefetch_candidates(variables_[0], &EntityRow::principal_buckets);
    prefetch_candidates(variables_[2], &EntityRow::resource_buckets);
}

void Machine::turn_to(EntityUid const& resource)
{
    arena_.reset(request_end_);
    variables_[2] = know(resource);
}

void Machine::prefetch_row(std::uint32_t index) const
{
    if (index == no_index)
        return;
    // Most entities lie in two lines.
    __builtin_prefetch(&program_.lines[index]);
    __builtin_prefetch(reinterpret_cast<std::byte const*>(&program_.lines[index]) + sizeof(CacheLine));
}

void Machine::prefetch_candidates(KnownEntity const& entity, std::span<Bucket const> (EntityRow::*buckets)() const) const
{
    if (entity.index == no_index)
        return;
    for (auto const& bucket : (program_.row(entity.index).*buckets)()) {
        __builtin_prefetch(&program_.candidate_actions[bucket.first]);
        __builtin_prefetch(&program_.candidates[bucket.first]);
    }
}

KnownEntity Machine::know(EntityUid const& uid)
{
    KnownEntity made { .uid = &uid, .index = program_.find(uid) };
    complete(made);
    return made;
}

void Machine::complete(KnownEntity& made)
{
    auto const& uid = *made.uid;
    if (made.index != no_index) {
        made.ancestors = program_.row(made.index).ancestors();
        made.type = program_.row(made.index).type;
    } else if (auto const type = program_.name_index.find(uid.type); type != program_.name_index.end()) {
        made.type = type->second;
    }
    if (front_ != nullptr && (made.front = front_->find_here(uid)) != nullptr)
        made.ancestors = ancestors_in_front(*made.front);
}

KnownEntity Machine::known(Slot const& entity)
{
    for (auto const& variable : variables_)
        if (variable.uid == entity.uid || (variable.index == entity.extent && variable.index != no_index))
            return variable;
    // An index says that it is one of the engine's, or only mentioned there: then it may be in front.
    if (entity.extent != no_index && (front_ == nullptr || program_.row(entity.extent).entity != nullptr))
        return { .uid = entity.uid, .index = entity.extent, .ancestors = program_.row(entity.extent).ancestors() };
    return know(*entity.uid);
}

// LIMIT: what stands in front are the few entities of one request; they are walked with a list, not a table.
std::span<std::uint32_t const> Machine::ancestors_in_front(Entity const& entity)
{
    auto* const walked = arena_.make<Entity const*>(front_->size());
    std::size_t walked_count = 1;
    walked[0] = &entity;
    std::size_t total = 0;
    auto const each_parent = [&](auto&& visit) {
        for (std::size_t i = 0; i < walked_count; ++i)
            for (auto const& parent : walked[i]->parents)
                visit(parent);
    };
    each_parent([&](EntityUid const& parent) {
        if (auto const* next = front_->find_here(parent))
            if (std::find(walked, walked + walked_count, next) == walked + walked_count)
                walked[walked_count++] = next;
        if (auto const index = program_.find(parent); index != no_index)
            total += 1 + program_.row(index).ancestors().size();
    });
    auto* const found = arena_.make<std::uint32_t>(total);
    auto* end = found;
    each_parent([&](EntityUid const& parent) {
        if (auto const index = program_.find(parent); index != no_index) {
            *end++ = index;
            auto const above = program_.row(index).ancestors();
            end = std::copy(above.begin(), above.end(), end);
        }
    });
    std::sort(found, end);
    end = std::remove(found, end, program_.find(entity.uid));
    return { found, static_cast<std::size_t>(std::unique(found, end) - found) };
}

bool Machine::passes(ScopeTest const& test, KnownEntity const& entity) const
{
    auto const is_inside = [&](std::uint32_t ancestor) { return entity.index == ancestor || has_index(entity.ancestors, ancestor); };
    switch (test.kind) {
    case ScopeConstraint::Kind::any: return true;
    case ScopeConstraint::Kind::equal: return entity.index == test.first;
    case ScopeConstraint::Kind::in: return is_inside(test.first);
    case ScopeConstraint::Kind::is: return entity.type == test.type;
    case ScopeConstraint::Kind::is_in: return entity.type == test.type && is_inside(test.first);
    case ScopeConstraint::Kind::in_any: {
        if (test.count == 1)
            return is_inside(test.first);
        auto const* const wanted = program_.scope_entities.data() + test.first;
        return std::any_of(wanted, wanted + test.count, is_inside);
    }
    }
    return false;
}

bool Machine::matches(Candidate const& policy) const
{
    return passes(policy.action, action()) && passes(policy.resource, resource()) && passes(policy.principal, principal());
}

bool Machine::conditions_hold(Candidate const& policy, bool& holds)
{
    holds = true;
    work_ = 0;
    for (std::uint32_t i = 0; i < policy.count && holds; ++i) {
        auto const& condition = program_.conditions[policy.first + i];
        if (!run_bool(condition.root, holds))
            return false;
        holds = holds != condition.is_unless;
    }
    return true;
}

Slot Machine::variable(Variable which) const
{
    if (which != Variable::context) {
        auto const& known = variables_.at(static_cast<std::size_t>(which));
        return Slot::of(*known.uid, known.index);
    }
    Slot slot;
    slot.tag = Slot::Tag::record;
    slot.record = &request_->context;
    return slot;
}

bool Machine::spend(Slot const& slot)
{
    if (!costs_work(slot))
        return true;
    work_ += work_of(slot);
    return work_ <= evaluation_work_max;
}

bool Machine::run_bool(std::uint32_t node, bool& result)
{
    Slot slot;
    if (!run(node, slot) || slot.tag != Slot::Tag::boolean)
        return false;
    result = slot.truth;
    return true;
}

bool Machine::run(std::uint32_t index, Slot& result)
{
    auto const& node = program_.nodes[index];
    switch (node.op) {
    case Operator::literal: result = program_.constants[node.operand]; return true;
    case Operator::variable: result = variable(node.variable); return true;
    case Operator::if_then_else: return conditional(node, result);
    case Operator::all: return every(node, false, result);
    case Operator::any: return every(node, true, result);
    case Operator::negation: {
        bool truth = false;
        return run_bool(child(node, 0), truth) && yield(!truth, result);
    }
    case Operator::equal:
    case Operator::not_equal: return equal(node, result);
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: return order(node, result);
    case Operator::minus:
    case Operator::plus:
    case Operator::difference:
    case Operator::product: return arithmetic(node, result);
    case Operator::in: return membership(node, result);
    case Operator::contains:
    case Operator::contains_all:
    case Operator::contains_any:
    case Operator::is_empty: return set_method(node, result);
    case Operator::get_tag:
    case Operator::has_tag: return tag(node, result);
    case Operator::get_attribute: return attribute(node, result);
    case Operator::has_attribute: return has_attribute(node, result);
    case Operator::like: return like(node, result);
    case Operator::is: return is_type(node, result);
    case Operator::set: return set(node, result);
    case Operator::record: return record(node, result);
    case Operator::call: return call(node, result);
    }
    return false;
}

bool Machine::every(Node const& node, bool stop_at, Slot& result)
{
    for (std::uint32_t i = 0; i < node.count; ++i) {
        bool truth = false;
        if (!run_bool(child(node, i), truth))
            return false;
        if (truth == stop_at)
            return yield(stop_at, result);
    }
    return yield(!stop_at, result);
}

bool Machine::conditional(Node const& node, Slot& result)
{
    bool truth = false;
    return run_bool(child(node, 0), truth) && run(child(node, truth ? 1 : 2), result);
}

bool Machine::equal(Node const& node, Slot& result)
{
    Slot left;
    Slot right;
    return run(child(node, 0), left) && run(child(node, 1), right) && spend(left) && yield(is_equal(left, right) == (node.op == Operator::equal), result);
}

bool Machine::order(Node const& node, Slot& result)
{
    Slot left;
    Slot right;
    if (!run(child(node, 0), left) || !run(child(node, 1), right) || left.tag != right.tag)
        return false;
    if (left.tag != Slot::Tag::number && left.tag != Slot::Tag::datetime && left.tag != Slot::Tag::duration)
        return false;
    switch (node.op) {
    case Operator::less: return yield(left.number < right.number, result);
    case Operator::less_equal: return yield(left.number <= right.number, result);
    case Operator::greater: return yield(left.number > right.number, result);
    default: return yield(left.number >= right.number, result);
    }
}

bool Machine::arithmetic(Node const& node, Slot& result)
{
    Slot left;
    Slot right = Slot::of(std::int64_t { 0 });
    if (!run(child(node, 0), left) || (node.op != Operator::minus && !run(child(node, 1), right)))
        return false;
    if (left.tag != Slot::Tag::number || right.tag != Slot::Tag::number)
        return false;
    std::int64_t number = 0;
    bool overflows = false;
    switch (node.op) {
    case Operator::minus: overflows = __builtin_sub_overflow(std::int64_t { 0 }, left.number, &number); break;
    case Operator::plus: overflows = __builtin_add_overflow(left.number, right.number, &number); break;
    case Operator::difference: overflows = __builtin_sub_overflow(left.number, right.number, &number); break;
    default: overflows = __builtin_mul_overflow(left.number, right.number, &number); break;
    }
    result = Slot::of(number);
    return !overflows;
}

bool Machine::is_in(Slot const& entity, Slot const& ancestor)
{
    if (is_equal(entity, ancestor))
        return true;
    auto const from = known(entity);
    auto const index = ancestor.extent != no_index ? ancestor.extent : program_.find(*ancestor.uid);
    if (index != no_index && has_index(from.ancestors, index))
        return true;
    // Between entities that only the request knows.
    return index == no_index && from.front != nullptr && front_->is_in(*entity.uid, *ancestor.uid);
}

bool Machine::in_any(Slot const& entity, Slot const& ancestors, bool& result)
{
    if (ancestors.tag == Slot::Tag::entity) {
        result = is_in(entity, ancestors);
        return true;
    }
    if (!ancestors.is_set() || !spend(ancestors))
        return false;
    auto const size = size_of(ancestors);
    // Elements are sorted by type, so that the first and the last tell whether all are entities.
    result = false;
    if (size > 0 && (element_at(ancestors, 0).tag != Slot::Tag::entity || element_at(ancestors, size - 1).tag != Slot::Tag::entity))
        return false;
    for (std::size_t i = 0; i < size && !result; ++i)
        result = is_in(entity, element_at(ancestors, i));
    return true;
}

bool Machine::membership(Node const& node, Slot& result)
{
    Slot entity;
    Slot ancestors;
    bool truth = false;
    return run(child(node, 0), entity) && entity.tag == Slot::Tag::entity && run(child(node, 1), ancestors) && in_any(entity, ancestors, truth) && yield(truth, result);
}

bool Machine::is_type(Node const& node, Slot& result)
{
    Slot entity;
    if (!run(child(node, 0), entity) || entity.tag != Slot::Tag::entity)
        return false;
    bool truth = entity.uid->type == program_.names[node.operand];
    if (!truth || node.count == 1)
        return yield(truth, result);
    Slot ancestors;
    return run(child(node, 1), ancestors) && in_any(entity, ancestors, truth) && yield(truth, result);
}

bool Machine::set_method(Node const& node, Slot& result)
{
    Slot object;
    if (!run(child(node, 0), object) || !object.is_set())
        return false;
    if (node.op == Operator::is_empty)
        return yield(size_of(object) == 0, result);
    Slot argument;
    if (!run(child(node, 1), argument) || !spend(argument))
        return false;
    if (node.op == Operator::contains)
        return yield(contains(object, argument), result);
    if (!argument.is_set())
        return false;
    bool const wants_all = node.op == Operator::contains_all;
    for (std::size_t i = 0, size = size_of(argument); i < size; ++i)
        if (contains(object, element_at(argument, i)) != wants_all)
            return yield(!wants_all, result);
    return yield(wants_all, result);
}

bool Machine::like(Node const& node, Slot& result)
{
    Slot text;
    if (!run(child(node, 0), text) || text.tag != Slot::Tag::string)
        return false;
    auto const& pattern = *program_.patterns[node.operand];
    work_ += text.extent / bytes_per_step * pattern.parts.size();
    return work_ <= evaluation_work_max && yield(pattern.matches(text.string()), result);
}

bool Machine::tag(Node const& node, Slot& result)
{
    Slot object;
    Slot name;
    if (!run(child(node, 0), object) || object.tag != Slot::Tag::entity || !run(child(node, 1), name) || name.tag != Slot::Tag::string)
        return false;
    auto const from = known(object);
    auto const* const entity = from.front != nullptr ? from.front : from.index != no_index ? program_.row(from.index).entity : nullptr;
    auto const found = entity != nullptr ? entity->tags.find(name.string()) : Record::const_iterator {};
    bool const has = entity != nullptr && found != entity->tags.end();
    if (node.op == Operator::has_tag)
        return yield(has, result);
    if (has)
        result = Slot::of(found->second);
    return has;
}

Machine::Found Machine::look_up(KnownEntity const& entity, std::uint32_t name, Slot& found) const
{
    if (entity.front != nullptr) {
        auto const attribute = entity.front->attributes.find(program_.names[name]);
        if (attribute == entity.front->attributes.end())
            return Found::absent;
        found = Slot::of(attribute->second);
        return Found::value;
    }
    if (entity.index == no_index)
        return Found::absent;
    auto const& row = program_.row(entity.index);
    auto const names = row.attribute_names();
    auto const at = std::find(names.begin(), names.end(), name);
    if (at == names.end())
        return Found::absent;
    found = row.attribute_values()[static_cast<std::size_t>(at - names.begin())];
    return Found::value;
}

Machine::Found Machine::look_up(Slot const& object, std::uint32_t name, Slot& found)
{
    if (object.tag == Slot::Tag::entity)
        return look_up(known(object), name, found);
    if (!object.is_record())
        return Found::wrong_type;
    return find_member(object, program_.names[name], found) ? Found::value : Found::absent;
}

bool Machine::attribute(Node const& node, Slot& result)
{
    if (node.is_of_variable) {
        if (node.variable != Variable::context)
            return look_up(variables_[static_cast<std::size_t>(node.variable)], node.operand, result) == Found::value;
        auto const found = request_->context.find(program_.names[node.operand]);
        if (found == request_->context.end())
            return false;
        result = Slot::of(found->second);
        return true;
    }
    Slot object;
    return run(child(node, 0), object) && look_up(object, node.operand, result) == Found::value;
}

bool Machine::has_attribute(Node const& node, Slot& result)
{
    Slot object;
    if (node.is_of_variable)
        object = variable(node.variable);
    else if (!run(child(node, 0), object))
        return false;
    for (std::uint32_t i = 0; i < node.operand_count; ++i) {
        Slot next;
        auto const found = look_up(object, program_.name_lists[node.operand + i], next);
        if (found == Found::wrong_type)
            return false;
        if (found == Found::absent)
            return yield(false, result);
        object = next;
    }
    return yield(true, result);
}

bool Machine::set(Node const& node, Slot& result)
{
    auto* const elements = arena_.make<Slot>(node.count);
    for (std::uint32_t i = 0; i < node.count; ++i)
        if (!run(child(node, i), elements[i]) || !spend(elements[i]))
            return false;
    std::sort(elements, elements + node.count, [](Slot const& a, Slot const& b) { return compare(a, b) < 0; });
    auto* const end = std::unique(elements, elements + node.count, is_equal);
    result = Slot();
    result.tag = Slot::Tag::list;
    result.extent = static_cast<std::uint32_t>(end - elements);
    result.elements = elements;
    return true;
}

bool Machine::record(Node const& node, Slot& result)
{
    auto* const members = arena_.make<SlotMember>(node.count);
    for (std::uint32_t i = 0; i < node.count; ++i) {
        members[i].name = &program_.names[program_.name_lists[node.operand + i]];
        if (!run(child(node, i), members[i].value))
            return false;
    }
    std::sort(members, members + node.count, [](SlotMember const& a, SlotMember const& b) { return *a.name < *b.name; });
    result = Slot();
    result.tag = Slot::Tag::members;
    result.extent = node.count;
    result.members = members;
    return true;
}

} // namespace writ::cedar
