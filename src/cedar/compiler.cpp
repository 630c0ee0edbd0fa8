// SPDX-License-Identifier: Apache-2.0
//
// From policies and entities to a Program.
#include "cedar/evaluator.h"
#include "cedar/program.h"

#include <algorithm>

namespace writ::cedar {

namespace {

class Compiler {
public:
    std::unique_ptr<Program const> run(PolicySet const& policies, EntityStore const& store)
    {
        add_entities(store);
        for (auto const& policy : policies.policies())
            program_->policies.push_back(policy_of(*policy));
        for (auto& constant : program_->constants)
            index_entities(constant);
        flatten_ancestors();
        gather_attributes();
        build_scope_index(*program_);
        return std::move(program_);
    }

private:
    std::uint32_t entity(EntityUid const& uid)
    {
        auto const found = program_->index.find(uid, program_->entities);
        if (found != no_index)
            return found;
        auto const index = static_cast<std::uint32_t>(program_->entities.size());
        program_->entities.push_back({ .uid = &uid });
        program_->index.insert(index, EntityIndex::hash(uid));
        return index;
    }

    void add_entities(EntityStore const& store)
    {
        program_->index.reserve(store.size());
        program_->entities.reserve(store.size());
        for (auto const& [uid, known] : store)
            program_->entities[entity(uid)].entity = &known;
        for (std::size_t i = 0, count = program_->entities.size(); i < count; ++i)
            for (auto const& parent : program_->entities[i].entity->parents)
                entity(parent);
    }

    std::uint32_t name(std::string const& text)
    {
        auto const [known, is_new] = names_.emplace(text, program_->names.size());
        if (is_new)
            program_->names.push_back(text);
        return known->second;
    }

    ScopeTest scope(ScopeConstraint const& constraint)
    {
        ScopeTest test { .kind = constraint.kind, .type = name(constraint.type), .first = size(program_->scope_entities) };
        for (auto const& uid : constraint.entities)
            program_->scope_entities.push_back(entity(uid));
        test.count = size(program_->scope_entities) - test.first;
        return test;
    }

    CompiledPolicy policy_of(Policy const& policy)
    {
        CompiledPolicy made { policy.effect, scope(policy.principal), scope(policy.action), scope(policy.resource), size(program_->conditions), 0 };
        std::vector<CompiledCondition> conditions;
        for (auto const& condition : policy.conditions)
            conditions.push_back({ node(condition.body), condition.is_unless });
        made.count = size(conditions);
        program_->conditions.insert(program_->conditions.end(), conditions.begin(), conditions.end());
        return made;
    }

    // What is the same for each request and whatever the entities.
    static bool is_constant(Expression const& expression)
    {
        switch (expression.op) {
        case Operator::literal: return true;
        case Operator::set:
        case Operator::record:
        case Operator::call:
        case Operator::minus:
        case Operator::plus:
        case Operator::difference:
        case Operator::product: return std::all_of(expression.children.begin(), expression.children.end(), is_constant);
        default: return false;
        }
    }

    std::uint32_t constant(Value value)
    {
        program_->constant_values.push_back(std::move(value));
        program_->constants.push_back(Slot::of(program_->constant_values.back()));
        return size(program_->constants) - 1;
    }

    // Gives entities, alone or in a set, their indices once for all.
    void index_entities(Slot& slot)
    {
        if (slot.tag == Slot::Tag::entity)
            slot.extent = entity(*slot.uid);
        if (slot.tag != Slot::Tag::set || slot.set->empty())
            return;
        auto& list = program_->constant_lists.emplace_back();
        for (auto const& element : *slot.set) {
            list.push_back(Slot::of(element));
            index_entities(list.back());
        }
        slot.tag = Slot::Tag::list;
        slot.extent = size(list);
        slot.elements = list.data();
    }

    std::uint32_t node(Expression const& expression)
    {
        static Request const nobody;
        static EntityStore const nothing;
        if (is_constant(expression))
            // One that errs stays code, and errs each time.
            if (auto value = Evaluator(nobody, nothing).evaluate(expression); value.is_ok())
                return place({ .op = Operator::literal, .operand = constant(std::move(value).value()) });
        Node made { .op = expression.op, .variable = expression.variable };
        operands(expression, made);
        bool const is_attribute = expression.op == Operator::get_attribute || expression.op == Operator::has_attribute;
        if (is_attribute && expression.children[0].op == Operator::variable) {
            made.is_of_variable = true;
            made.variable = expression.children[0].variable;
            return place(made);
        }
        std::vector<std::uint32_t> operands;
        for (auto const& child : expression.children)
            operands.push_back(node(child));
        made.first = size(program_->children);
        made.count = size(operands);
        program_->children.insert(program_->children.end(), operands.begin(), operands.end());
        return place(made);
    }

    void operands(Expression const& expression, Node& made)
    {
        switch (expression.op) {
        case Operator::literal: made.operand = constant(expression.value); break;
        case Operator::get_attribute: made.operand = name(expression.names.front()); break;
        case Operator::has_attribute:
        case Operator::record: made.operand = list_of(expression.names); break;
        case Operator::is: made.operand = name(expression.name); break;
        case Operator::like:
            made.operand = size(program_->patterns);
            program_->patterns.push_back(&expression.pattern);
            break;
        case Operator::call: made.function = function_index(expression.name).value(); break;
        default: break;
        }
        made.operand_count = static_cast<std::uint32_t>(expression.names.size());
    }

    std::uint32_t list_of(std::vector<std::string> const& names)
    {
        auto const first = size(program_->name_lists);
        for (auto const& text : names)
            program_->name_lists.push_back(name(text));
        return first;
    }

    std::uint32_t place(Node made)
    {
        program_->nodes.push_back(made);
        return size(program_->nodes) - 1;
    }

    void flatten_ancestors()
    {
        std::vector<std::uint32_t> seen(program_->entities.size(), no_index);
        std::vector<std::uint32_t> open;
        for (std::uint32_t i = 0; i < program_->entities.size(); ++i) {
            auto& row = program_->entities[i];
            row.ancestors_begin = size(program_->ancestors);
            open.assign(1, i);
            while (!open.empty()) {
                auto const* const known = program_->entities[open.back()].entity;
                open.pop_back();
                if (known == nullptr)
                    continue;
                for (auto const& uid : known->parents) {
                    auto const parent = program_->index.find(uid, program_->entities);
                    if (seen[parent] == i)
                        continue;
                    seen[parent] = i;
                    program_->ancestors.push_back(parent);
                    program_->entities[parent].is_ancestor = true;
                    open.push_back(parent);
                }
            }
            row.ancestors_end = size(program_->ancestors);
            std::sort(program_->ancestors.begin() + row.ancestors_begin, program_->ancestors.end());
        }
    }

    // Only attributes that a policy names; the others are never asked for.
    void gather_attributes()
    {
        for (auto& row : program_->entities) {
            row.attributes_begin = row.attributes_end = size(program_->attributes);
            if (row.entity == nullptr)
                continue;
            for (auto const& [attribute, value] : row.entity->attributes) {
                auto const known = names_.find(attribute);
                if (known == names_.end())
                    continue;
                auto slot = Slot::of(value);
                if (slot.tag == Slot::Tag::entity)
                    slot.extent = program_->index.find(*slot.uid, program_->entities);
                program_->attributes.push_back({ known->second, slot });
            }
            row.attributes_end = size(program_->attributes);
            std::sort(program_->attributes.begin() + row.attributes_begin, program_->attributes.end(),
                [](AttributeRow const& a, AttributeRow const& b) { return a.name < b.name; });
        }
    }

    template <typename T>
    static std::uint32_t size(std::vector<T> const& things)
    {
        return static_cast<std::uint32_t>(things.size());
    }

    std::unique_ptr<Program> program_ = std::make_unique<Program>();
    std::unordered_map<std::string, std::uint32_t> names_;
};

} // namespace

std::unique_ptr<Program const> compile(PolicySet const& policies, EntityStore const& entities) { return Compiler().run(policies, entities); }

std::size_t EntityIndex::hash(EntityUid const& uid)
{
    // Two multiplications over eight bytes at a time; good enough for a table whose keys are compared anyhow, and behind a limit on entities.
    std::size_t state = uid.type.size() * 0x9E37'79B9'7F4A'7C15U;
    auto const mix = [&](std::string const& text) {
        auto const* at = text.data();
        auto rest = text.size();
        for (; rest >= 8; rest -= 8, at += 8) {
            std::uint64_t word = 0;
            std::memcpy(&word, at, 8);
            state = (state ^ word) * 0xFF51'AFD7'ED55'8CCDU;
            state ^= state >> 32U;
        }
        std::uint64_t word = rest;
        for (; rest > 0; --rest, ++at)
            word = word << 8U | static_cast<unsigned char>(*at);
        state = (state ^ word) * 0xC4CE'B9FE'1A85'EC53U;
        state ^= state >> 29U;
    };
    mix(uid.type);
    mix(uid.id);
    return state;
}

void EntityIndex::reserve(std::size_t count)
{
    std::size_t cells = 16;
    while (cells < count * 2)
        cells *= 2;
    auto const old = std::exchange(cells_, std::vector<Cell>(cells));
    for (auto const& cell : old)
        if (cell.index != no_index)
            place(cell);
}

void EntityIndex::place(Cell cell)
{
    auto at = cell.hash & (cells_.size() - 1);
    while (cells_[at].index != no_index)
        at = (at + 1) & (cells_.size() - 1);
    cells_[at] = cell;
}

void EntityIndex::insert(std::uint32_t index, std::size_t hash)
{
    if (++count_ * 2 > cells_.size())
        reserve(count_);
    place({ hash, index });
}

std::uint32_t EntityIndex::find(EntityUid const& uid, std::vector<EntityRow> const& entities) const
{
    if (cells_.empty())
        return no_index;
    auto const wanted = hash(uid);
    for (auto at = wanted & (cells_.size() - 1); cells_[at].index != no_index; at = (at + 1) & (cells_.size() - 1))
        if (cells_[at].hash == wanted && *entities[cells_[at].index].uid == uid)
            return cells_[at].index;
    return no_index;
}

} // namespace writ::cedar
