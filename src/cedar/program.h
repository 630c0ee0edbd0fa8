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

// The candidates of one key, sorted by action: those for any action stand last.
struct Bucket {
    std::uint32_t first = 0, count = 0; // into candidates
};

// A cache line: what is asked of each entity in a request lies together.
struct alignas(64) EntityRow {
    EntityUid const* uid = nullptr;
    Entity const* entity = nullptr; // nullptr: only mentioned
    std::uint32_t attributes_begin = 0, attributes_end = 0;
    std::uint32_t ancestors_begin = 0, ancestors_end = 0;
    std::uint32_t type = no_index;                            // index into names, if a policy names it
    Bucket principal_bucket, resource_bucket;                 // policies for this very entity
    bool is_ancestor = false;                                 // of another
};

// What one variable's scope asks, with entities by index.
struct ScopeTest {
    ScopeConstraint::Kind kind = ScopeConstraint::Kind::any;
    std::uint32_t type = no_index;      // index into names
    std::uint32_t first = 0, count = 0; // the entity, if it is one; else into scope_entities
};

struct CompiledPolicy {
    Effect effect = Effect::permit;
    ScopeTest principal, action, resource;
    std::uint32_t first = 0, count = 0; // into conditions
    bool is_repeated = false;           // is a candidate for several actions
};

struct CompiledCondition {
    std::uint32_t root = 0; // node
    bool is_unless = false;
};

// A policy under its key, for one action it is for.
struct Candidate {
    std::uint32_t action = no_index; // no_index: any
    std::uint32_t policy = 0;
    auto operator<=>(Candidate const&) const = default;
};
// An open hash table from entity to index. It keeps the names in one text of its own, so that a look-up touches two cache lines.
class EntityIndex {
public:
    void reserve(std::size_t count);
    void insert(std::uint32_t index, EntityUid const&);
    [[nodiscard]] std::uint32_t find(EntityUid const& uid) const { return find(uid, hash(uid)); }
    // In two steps, so that several look-ups wait for memory together. LIMIT: the hash is not keyed; who may declare entities can slow look-ups down, not confuse them.
    static std::uint64_t hash(EntityUid const&);
    void prefetch(std::uint64_t hash) const
    {
        if (!cells_.empty())
            __builtin_prefetch(&cells_[hash & (cells_.size() - 1)]);
    }
    // Behind prefetch(): what the entity is most likely called, and its row.
    void prefetch_found(std::uint64_t hash, std::vector<EntityRow> const& entities) const
    {
        if (cells_.empty())
            return;
        auto const& cell = cells_[hash & (cells_.size() - 1)];
        if (cell.hash != hash || cell.index == no_index)
            return;
        __builtin_prefetch(text_.data() + cell.text);
        __builtin_prefetch(&entities[cell.index]);
    }
    [[nodiscard]] std::uint32_t find(EntityUid const&, std::uint64_t hash) const;
    [[nodiscard]] std::size_t memory() const { return cells_.size() * sizeof(Cell) + text_.size(); }

private:
    struct Cell {
        std::uint64_t hash = 0;
        std::uint32_t index = no_index;
        std::uint32_t text = 0;
    };
    void place(Cell);
    [[nodiscard]] bool is_at(EntityUid const&, std::size_t text) const;

    std::vector<Cell> cells_;
    std::string text_; // of each: two lengths, type, id
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

    // Which policies to look at.
    std::vector<Candidate> candidates;
    Bucket any_bucket;
    std::vector<Bucket> principal_type_buckets; // by name
    std::vector<Bucket> resource_type_buckets;
    bool has_type_buckets = false;
    std::unordered_map<std::string, std::uint32_t> name_index;

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
