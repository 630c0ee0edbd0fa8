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
        describe_entities();
        build_scope_index(*program_);
        return std::move(program_);
    }

private:
    std::uint32_t entity(EntityUid const& uid)
    {
        auto const found = program_->index.find(uid);
        if (found != no_index)
            return found;
        auto const index = static_cast<std::uint32_t>(program_->entities.size());
        program_->entities.push_back({ .uid = &uid });
        program_->index.insert(index, uid);
        return index;
    }

    void add_entities(EntityStore const& store)
    {
        program_->index.reserve(store.size());
        program_->entities.reserve(store.size());
        for (auto const& [uid, known] : store)
            program_->entities[entity(uid)].entity = &known;
        for (std::size_t i = 0, count = program_->entities.size(); i < count; ++i) {
            parents_begin_.push_back(size(parents_));
            for (auto const& parent : program_->entities[i].entity->parents)
                parents_.push_back(entity(parent));
        }
        parents_begin_.push_back(size(parents_));
    }

    std::uint32_t name(std::string const& text)
    {
        auto const [known, is_new] = program_->name_index.try_emplace(text, size(program_->names));
        if (is_new)
            program_->names.push_back(text);
        return known->second;
    }

    ScopeTest scope(ScopeConstraint const& constraint)
    {
        ScopeTest test { .kind = constraint.kind, .type = constraint.type.empty() ? no_index : name(constraint.type), .count = size(constraint.entities) };
        if (test.count == 1) {
            test.first = entity(constraint.entities.front());
            return test;
        }
        test.first = size(program_->scope_entities);
        for (auto const& uid : constraint.entities)
            program_->scope_entities.push_back(entity(uid));
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
            // In a cycle an entity is above itself; that is left out, for each entity is in itself anyhow.
            open.assign(1, i);
            seen[i] = i;
            while (!open.empty()) {
                auto const next = open.back();
                open.pop_back();
                // Entities of the store come first; those that are only mentioned have no parents.
                if (next + 1 >= parents_begin_.size())
                    continue;
                for (auto at = parents_begin_[next]; at < parents_begin_[next + 1]; ++at) {
                    auto const parent = parents_[at];
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
    void describe_entities()
    {
        for (auto& row : program_->entities) {
            row.attributes_begin = row.attributes_end = size(program_->attributes);
            if (auto const type = program_->name_index.find(row.uid->type); type != program_->name_index.end())
                row.type = type->second;
            if (row.entity == nullptr)
                continue;
            for (auto const& [attribute, value] : row.entity->attributes) {
                auto const known = program_->name_index.find(attribute);
                if (known == program_->name_index.end())
                    continue;
                auto slot = Slot::of(value);
                if (slot.tag == Slot::Tag::entity)
                    slot.extent = program_->index.find(*slot.uid);
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
    std::vector<std::uint32_t> parents_, parents_begin_; // of the store's entities
};

} // namespace

std::unique_ptr<Program const> compile(PolicySet const& policies, EntityStore const& entities) { return Compiler().run(policies, entities); }

} // namespace writ::cedar
