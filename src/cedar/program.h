// SPDX-License-Identifier: Apache-2.0
//
// Policies and entities as a decision reads them: everything by index, in flat arrays.
#pragma once

#include "cedar/ast.h"
#include "cedar/entity.h"
#include "cedar/slot.h"

#include <deque>
#include <span>
#include <unordered_map>

namespace writ::cedar {

// One operation. Its operands are the nodes children[first] … children[first + count - 1].
struct Node {
    Operator op = Operator::literal;
    Variable variable = Variable::principal;
    bool is_of_variable = false; // of get_attribute and has_attribute: the object is `variable`, not a child
    std::uint8_t function = 0;   // of call
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t operand = 0;       // literal: constant; get_attribute, is: name; has_attribute, record: first of name_lists; like: pattern
    std::uint32_t operand_count = 0; // of has_attribute: how many names
};

struct AttributeRow {
    std::uint32_t name = 0;
    Slot value;
};

struct EntityRow {
    EntityUid const* uid = nullptr;
    Entity const* entity = nullptr; // nullptr: only mentioned
    std::uint32_t attributes_begin = 0, attributes_end = 0;
    std::uint32_t ancestors_begin = 0, ancestors_end = 0;
    bool is_ancestor = false; // of another
};

// What one variable's scope asks, with entities by index.
struct ScopeTest {
    ScopeConstraint::Kind kind = ScopeConstraint::Kind::any;
    std::uint32_t type = 0; // index into names
    std::uint32_t first = 0, count = 0; // into scope_entities
};

struct CompiledPolicy {
    Effect effect = Effect::permit;
    ScopeTest principal, action, resource;
    std::uint32_t first = 0, count = 0; // into conditions
};

struct CompiledCondition {
    std::uint32_t root = 0; // node
    bool is_unless = false;
};

// Policies with one key, grouped by the action they are for.
struct ActionGroup {
    std::uint32_t action = no_index; // no_index: any
    std::uint32_t first = 0, count = 0; // into candidates
};
struct Bucket {
    std::uint32_t first = 0, count = 0; // into groups
};

// An open hash table from entity to index. The entities lie in Program::entities.
class EntityIndex {
public:
    void reserve(std::size_t count);
    void insert(std::uint32_t index, std::size_t hash);
    [[nodiscard]] std::uint32_t find(EntityUid const&, std::vector<EntityRow> const&) const;
    static std::size_t hash(EntityUid const&);
    [[nodiscard]] std::size_t memory() const { return cells_.size() * sizeof(Cell); }

private:
    struct Cell {
        std::size_t hash = 0;
        std::uint32_t index = no_index;
    };
    void place(Cell);

    std::vector<Cell> cells_;
    std::size_t count_ = 0;
};

struct Program {
    // Policies.
    std::vector<Node> nodes;
    std::vector<std::uint32_t> children;
    std::vector<Slot> constants;
    std::deque<Value> constant_values; // what constants point into
    std::deque<std::vector<Slot>> constant_lists; // sets of entities with their indices
    std::vector<std::string> names;    // attributes, types
    std::vector<std::uint32_t> name_lists;
    std::vector<Pattern const*> patterns;
    std::vector<CompiledPolicy> policies;
    std::vector<CompiledCondition> conditions;
    std::vector<std::uint32_t> scope_entities;

    // Entities, and those that policies mention.
    std::vector<EntityRow> entities;
    EntityIndex index;
    std::vector<AttributeRow> attributes; // by entity, then name
    std::vector<std::uint32_t> ancestors; // by entity, sorted

    // Which policies to look at. Bucket 0 is empty; buckets by entity are indices, 0 for none.
    std::vector<std::uint32_t> candidates;
    std::vector<ActionGroup> groups;
    std::vector<Bucket> buckets;
    std::uint32_t any_bucket = 0;
    std::vector<std::uint32_t> principal_buckets; // by entity
    std::vector<std::uint32_t> resource_buckets;
    std::unordered_map<std::string, std::uint32_t> principal_type_buckets;
    std::unordered_map<std::string, std::uint32_t> resource_type_buckets;

    [[nodiscard]] std::span<std::uint32_t const> ancestors_of(std::uint32_t entity) const
    {
        auto const& row = entities[entity];
        return { ancestors.data() + row.ancestors_begin, row.ancestors_end - row.ancestors_begin };
    }
};

std::unique_ptr<Program const> compile(PolicySet const&, EntityStore const&);
void build_scope_index(Program&);

// Extension functions by number, so that a decision compares no names.
std::optional<std::uint8_t> function_index(std::string_view name);
std::size_t function_arguments(std::uint8_t function);

} // namespace writ::cedar
