// SPDX-License-Identifier: Apache-2.0
//
// From policies and entities to a Program.
#include "cedar/draft.h"
#include "cedar/evaluator.h"
#include "cedar/work.h"

#include <algorithm>
#include <map>
#include <unordered_set>

namespace writ::cedar {

namespace {

class Compiler {
public:
    std::unique_ptr<Program const> run(PolicySet const& policies, EntityStore const& store)
    {
        add_entities(store);
        add_parents();
        add_policies(policies);
        program_->policy_count = draft_.policies.size();
        for (auto& constant : program_->constants)
            index_entities(constant);
        flatten_ancestors();
        describe_entities();
        build_scope_index(draft_);
        lay_out_entities(draft_);
        return std::move(draft_.program);
    }

private:
    // What is met at random lies in no cache: memory is asked for this many steps before it is needed.
    static constexpr std::size_t ahead = 16;

    std::uint32_t entity(EntityUid const& uid) { return entity(uid, EntityIndex::hash(uid)); }
    std::uint32_t entity(EntityUid const& uid, std::uint64_t hash)
    {
        auto const found = find(uid, hash);
        if (found != no_index)
            return found;
        auto const index = size(draft_.entities);
        draft_.entities.push_back({ .uid = &uid });
        program_->index.insert(index, hash);
        return index;
    }

    [[nodiscard]] std::uint32_t find(EntityUid const& uid, std::uint64_t hash) const
    {
        return program_->index.find(hash, [&](std::uint32_t index) { return *draft_.entities[index].uid == uid; });
    }

    // Of each of these its index; those not known before are added.
    std::vector<std::uint32_t> indices_of(std::vector<EntityUid const*> const& uids)
    {
        std::vector<std::uint64_t> hashes;
        hashes.reserve(uids.size());
        for (auto const* const uid : uids)
            hashes.push_back(EntityIndex::hash(*uid));
        std::vector<std::uint32_t> indices;
        indices.reserve(uids.size());
        for (std::size_t i = 0; i < uids.size(); ++i) {
            if (i + 2 * ahead < uids.size())
                program_->index.prefetch(hashes[i + 2 * ahead]);
            if (i + ahead < uids.size())
                if (auto const likely = program_->index.likely(hashes[i + ahead]); likely != no_index)
                    __builtin_prefetch(draft_.entities[likely].uid);
            indices.push_back(entity(*uids[i], hashes[i]));
        }
        return indices;
    }

    void add_entities(EntityStore const& store)
    {
        program_->index.reserve(store.size());
        draft_.entities.reserve(store.size());
        for (auto const& [uid, known] : store)
            draft_.entities.push_back({ .uid = &uid, .entity = &known });
        std::vector<std::uint64_t> hashes;
        hashes.reserve(draft_.entities.size());
        for (std::size_t i = 0; i < draft_.entities.size(); ++i) {
            if (i + ahead < draft_.entities.size())
                __builtin_prefetch(draft_.entities[i + ahead].uid);
            hashes.push_back(EntityIndex::hash(*draft_.entities[i].uid));
        }
        for (std::uint32_t i = 0; i < hashes.size(); ++i) {
            if (i + ahead < hashes.size())
                program_->index.prefetch(hashes[i + ahead]);
            program_->index.insert(i, hashes[i]);
        }
    }

    void add_parents()
    {
        std::vector<EntityUid const*> parents;
        parents.reserve(draft_.entities.size());
        for (std::size_t i = 0; i < draft_.entities.size(); ++i) {
            if (i + ahead < draft_.entities.size())
                __builtin_prefetch(&draft_.entities[i + ahead].entity->parents);
            parents_begin_.push_back(size(parents));
            for (auto const& parent : draft_.entities[i].entity->parents) {
                __builtin_prefetch(&parent);
                parents.push_back(&parent);
            }
        }
        parents_begin_.push_back(size(parents));
        parents_ = indices_of(parents);
    }

    void add_policies(PolicySet const& policies)
    {
        std::vector<EntityUid const*> named;
        for (auto const& policy : policies.policies())
            for (auto const* const constraint : { &policy->principal, &policy->action, &policy->resource })
                for (auto const& uid : constraint->entities)
                    named.push_back(&uid);
        auto const indices = indices_of(named);
        auto const* next = indices.data();
        draft_.policies.reserve(policies.policies().size());
        for (auto const& policy : policies.policies())
            draft_.policies.push_back(policy_of(*policy, next));
    }

    std::uint32_t name(std::string const& text)
    {
        auto const [known, is_new] = program_->name_index.try_emplace(text, size(program_->names));
        if (is_new)
            program_->names.push_back(text);
        return known->second;
    }

    // `next`: the index of the constraint's first entity, and then of what follows it.
    ScopeTest scope(ScopeConstraint const& constraint, std::uint32_t const*& next)
    {
        ScopeTest test { .kind = constraint.kind, .type = constraint.type.empty() ? no_index : name(constraint.type), .count = size(constraint.entities) };
        if (test.count == 1) {
            test.first = *next++;
            return test;
        }
        test.first = size(program_->scope_entities);
        program_->scope_entities.insert(program_->scope_entities.end(), next, next + test.count);
        next += test.count;
        return test;
    }

    Candidate policy_of(Policy const& policy, std::uint32_t const*& next)
    {
        Candidate made { .effect = policy.effect };
        made.principal = scope(policy.principal, next);
        made.action = scope(policy.action, next);
        made.resource = scope(policy.resource, next);
        made.first = size(program_->conditions);
        made.count = size(policy.conditions);
        for (auto const& condition : policy.conditions)
            program_->conditions.push_back({ node(condition.body), condition.is_unless });
        return made;
    }

    std::uint32_t constant(Value value)
    {
        auto const [known, is_new] = constants_.try_emplace(std::move(value), size(program_->constants));
        if (is_new) {
            program_->constant_values.push_back(known->first);
            program_->constants.push_back(pooled(Slot::of(program_->constant_values.back())));
        }
        return known->second;
    }

    // Equal texts become one, so that most comparisons look at no text.
    Slot pooled(Slot slot)
    {
        if (slot.tag == Slot::Tag::string)
            slot.text = texts_.insert(slot.string()).first->data();
        return slot;
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
            list.push_back(pooled(Slot::of(element)));
            index_entities(list.back());
        }
        slot.tag = Slot::Tag::list;
        slot.extent = size(list);
        slot.elements = list.data();
    }

    std::uint32_t node(Expression const& expression)
    {
        if (expression.op == Operator::literal)
            return literal(expression);
        Node made { .op = expression.op, .variable = expression.variable };
        operands(expression, made);
        bool const is_attribute = expression.op == Operator::get_attribute || expression.op == Operator::has_attribute;
        if (is_attribute && expression.children[0].op == Operator::variable) {
            made.is_of_variable = true;
            made.variable = expression.children[0].variable;
            return place(made, {});
        }
        auto const begin = open_operands_.size();
        for (auto const& child : expression.children) {
            auto const operand = node(child);
            open_operands_.push_back(operand);
        }
        auto const placed = place(made, std::span(open_operands_).subspan(begin));
        open_operands_.resize(begin);
        return is_folded(expression) ? folded(placed, expression) : placed;
    }

    std::uint32_t literal(Expression const& expression)
    {
        auto const [known, is_new] = literals_.try_emplace(expression.payload.get(), 0);
        if (is_new)
            known->second = place({ .op = Operator::literal, .operand = constant(expression.value()) }, {});
        return known->second;
    }

    // The literal that stands for what `placed` always is. One that errs stays code, and errs each time.
    std::uint32_t folded(std::uint32_t placed, Expression const& expression)
    {
        static Request const nobody;
        static EntityStore const nothing;
        auto const [known, is_new] = folded_.try_emplace(placed, placed);
        if (is_new)
            if (auto value = Evaluator(nobody, nothing).evaluate(expression); value.is_ok())
                folded_[placed] = place({ .op = Operator::literal, .operand = constant(std::move(value).value()) }, {});
        return folded_[placed];
    }

    void operands(Expression const& expression, Node& made)
    {
        switch (expression.op) {
        case Operator::get_attribute:
        case Operator::is: made.operand = name(*expression.payload); break;
        case Operator::has_attribute:
        case Operator::record: made.operand = list_of(*expression.payload); break;
        case Operator::like: made.operand = pattern(expression.pattern()); break;
        case Operator::call: made.function = function_index(expression.name()).value(); break;
        default: break;
        }
        made.operand_count = static_cast<std::uint32_t>(expression.names().size());
    }

    std::uint32_t pattern(Pattern const& wanted)
    {
        auto const [known, is_new] = patterns_.try_emplace(wanted.parts, size(program_->patterns));
        if (is_new)
            program_->patterns.push_back(&wanted);
        return known->second;
    }

    std::uint32_t name(Payload const& payload)
    {
        auto const [known, is_new] = payload_names_.try_emplace(&payload, 0);
        if (is_new)
            known->second = name(payload.names.front());
        return known->second;
    }

    std::uint32_t list_of(Payload const& payload)
    {
        auto const [known, is_new] = payload_lists_.try_emplace(&payload, 0);
        if (is_new)
            known->second = list_of(payload.names);
        return known->second;
    }

    std::uint32_t list_of(std::vector<std::string> const& texts)
    {
        std::vector<std::uint32_t> list;
        for (auto const& text : texts)
            list.push_back(name(text));
        auto const [known, is_new] = lists_.try_emplace(list, size(program_->name_lists));
        if (is_new)
            program_->name_lists.insert(program_->name_lists.end(), list.begin(), list.end());
        return known->second;
    }

    // The node that does this; one that was made before, if there is one.
    std::uint32_t place(Node made, std::span<std::uint32_t const> operands)
    {
        made.count = static_cast<std::uint32_t>(operands.size());
        auto const hash = hash_of(made, operands);
        auto const known = nodes_.find(hash, [&](std::uint32_t index) { return is_same(program_->nodes[index], made, operands); });
        if (known != no_index)
            return known;
        made.first = size(program_->children);
        program_->children.insert(program_->children.end(), operands.begin(), operands.end());
        auto const index = size(program_->nodes);
        program_->nodes.push_back(made);
        nodes_.insert(index, hash);
        return index;
    }

    static std::uint64_t hash_of(Node const& node, std::span<std::uint32_t const> operands)
    {
        auto hash = static_cast<std::uint64_t>(node.op) | static_cast<std::uint64_t>(node.variable) << 8U | std::uint64_t { node.function } << 16U;
        auto const add = [&](std::uint32_t number) { hash = (hash ^ number) * 0x9E37'79B9'7F4A'7C15U; };
        add(node.operand);
        add(node.operand_count);
        for (auto const operand : operands)
            add(operand);
        // Multiplying moves what differs upwards; the table looks at the lowest bits.
        return hash ^ hash >> 32U;
    }

    [[nodiscard]] bool is_same(Node const& known, Node made, std::span<std::uint32_t const> operands) const
    {
        made.first = known.first;
        return known == made && std::equal(operands.begin(), operands.end(), program_->children.begin() + known.first);
    }

    void flatten_ancestors()
    {
        std::vector<std::uint32_t> seen(draft_.entities.size(), no_index);
        std::vector<std::uint32_t> open;
        for (std::uint32_t i = 0; i < draft_.entities.size(); ++i) {
            auto& row = draft_.entities[i];
            row.ancestors_begin = size(draft_.ancestors);
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
                    draft_.ancestors.push_back(parent);
                    draft_.entities[parent].is_ancestor = true;
                    open.push_back(parent);
                }
            }
            row.ancestors_end = size(draft_.ancestors);
            std::sort(draft_.ancestors.begin() + row.ancestors_begin, draft_.ancestors.end());
        }
    }

    // Only attributes that a policy names; the others are never asked for.
    void describe_entities()
    {
        for (std::size_t i = 0; i < draft_.entities.size(); ++i) {
            prefetch_described(i);
            auto& row = draft_.entities[i];
            row.attributes_begin = row.attributes_end = size(draft_.attributes);
            if (auto const type = program_->name_index.find(row.uid->type); type != program_->name_index.end())
                row.type = type->second;
            if (row.entity == nullptr)
                continue;
            for (auto const& [attribute, value] : row.entity->attributes) {
                auto const known = program_->name_index.find(attribute);
                if (known == program_->name_index.end())
                    continue;
                auto slot = pooled(Slot::of(value));
                if (slot.tag == Slot::Tag::entity)
                    slot.extent = find(*slot.uid, EntityIndex::hash(*slot.uid));
                draft_.attributes.push_back({ known->second, slot });
            }
            row.attributes_end = size(draft_.attributes);
            std::sort(draft_.attributes.begin() + row.attributes_begin, draft_.attributes.end(),
                [](DraftAttribute const& a, DraftAttribute const& b) { return a.name < b.name; });
        }
    }

    // Its name, then where its attributes begin, then the first of them.
    void prefetch_described(std::size_t i) const
    {
        auto const& entities = draft_.entities;
        if (i + ahead < entities.size()) {
            __builtin_prefetch(entities[i + ahead].uid);
            if (auto const* const entity = entities[i + ahead].entity)
                __builtin_prefetch(&entity->attributes);
        }
        if (i + ahead / 2 < entities.size())
            if (auto const* const entity = entities[i + ahead / 2].entity; entity != nullptr && !entity->attributes.empty())
                __builtin_prefetch(&*entity->attributes.begin());
    }

    template <typename T>
    static std::uint32_t size(std::vector<T> const& things)
    {
        return static_cast<std::uint32_t>(things.size());
    }

    Draft draft_;
    Program* program_ = draft_.program.get();
    // What was made before, to be used again.
    std::map<Value, std::uint32_t> constants_;
    std::unordered_set<std::string_view> texts_;
    std::map<std::vector<std::string>, std::uint32_t> patterns_;
    std::map<std::vector<std::uint32_t>, std::uint32_t> lists_;
    EntityIndex nodes_;
    std::unordered_map<std::uint32_t, std::uint32_t> folded_; // node to literal
    std::unordered_map<Payload const*, std::uint32_t> literals_, payload_names_, payload_lists_;
    std::vector<std::uint32_t> open_operands_;                // of the nodes that are being made, the innermost last
    std::vector<std::uint32_t> parents_, parents_begin_; // of the store's entities
};

} // namespace

std::unique_ptr<Program const> compile(PolicySet const& policies, EntityStore const& entities) { return Compiler().run(policies, entities); }

} // namespace writ::cedar
