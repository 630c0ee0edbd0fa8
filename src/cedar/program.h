// SPDX-License-Identifier: Apache-2.0
//
// Policies and entities as a decision reads them: everything by index, in flat arrays.
#pragma once

#include "base/huge_pages.h"
#include "cedar/ast.h"
#include "cedar/entity.h"
#include "cedar/slot.h"

#include <cstddef>
#include <deque>
#include <span>
#include <unordered_map>

namespace writ::cedar {

// One operation. Its operands are the nodes children[first] … children[first + count - 1]. Equal expressions are one node, whichever policies they stand in.
struct Node {
    Operator op = Operator::literal;
    Variable variable = Variable::principal;
    bool is_of_variable = false; // of get_attribute and has_attribute: the object is `variable`, not a child
    std::uint8_t function = 0;   // of call
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    std::uint32_t operand = 0;       // literal: constant; get_attribute, is: name; has_attribute, record: first of name_lists; like: pattern
    std::uint32_t operand_count = 0; // of has_attribute: how many names
    bool operator==(Node const&) const = default;
};

// The candidates of one key, sorted by action: those for any action stand last.
struct Bucket {
    std::uint32_t first = 0, count = 0; // into candidates
};

// What one variable's scope asks, with entities by index.
struct ScopeTest {
    ScopeConstraint::Kind kind = ScopeConstraint::Kind::any;
    std::uint32_t type = no_index;      // index into names
    std::uint32_t first = 0, count = 0; // the entity, if it is one; else into scope_entities
};

// A policy under its key, for one action it is for; a cache line.
struct alignas(64) Candidate {
    ScopeTest principal, action, resource;
    std::uint32_t policy = 0;           // in the set's order
    std::uint32_t first = 0, count = 0; // into conditions
    Effect effect = Effect::permit;
    bool is_repeated = false; // is a candidate for several actions
};
static_assert(sizeof(Candidate) == 64);

struct CompiledCondition {
    std::uint32_t root = 0; // node
    bool is_unless = false;
};

// What a decision asks of one entity lies together: this head, and behind it in the same cache lines attributes, buckets, ancestors and name.
// An entity's index is the line where its head stands.
struct alignas(64) EntityRow {
    EntityUid const* uid = nullptr;
    Entity const* entity = nullptr;           // nullptr: only mentioned
    std::uint32_t type = no_index;            // index into names, if a policy names it
    std::uint32_t attribute_count = 0;
    std::uint32_t principal_bucket_count = 0; // policies for this entity or an ancestor of it
    std::uint32_t resource_bucket_count = 0;
    std::uint32_t ancestor_count = 0;
    std::uint32_t name_bytes = 0;
    Bucket own_principal_bucket, own_resource_bucket; // policies for this very entity
    bool is_ancestor = false;                         // of another

    // Only attributes that a policy names.
    [[nodiscard]] std::span<Slot const> attribute_values() const { return { reinterpret_cast<Slot const*>(this + 1), attribute_count }; }
    [[nodiscard]] std::span<Bucket const> principal_buckets() const
    {
        return { reinterpret_cast<Bucket const*>(attribute_values().data() + attribute_count), principal_bucket_count };
    }
    [[nodiscard]] std::span<Bucket const> resource_buckets() const
    {
        return { principal_buckets().data() + principal_bucket_count, resource_bucket_count };
    }
    [[nodiscard]] std::span<std::uint32_t const> attribute_names() const
    {
        return { reinterpret_cast<std::uint32_t const*>(resource_buckets().data() + resource_bucket_count), attribute_count };
    }
    [[nodiscard]] std::span<std::uint32_t const> ancestors() const { return { attribute_names().data() + attribute_count, ancestor_count }; } // sorted
    [[nodiscard]] char const* name() const { return reinterpret_cast<char const*>(ancestors().data() + ancestor_count); } // as entity_name() writes it
};
static_assert(sizeof(EntityRow) == 64);

struct alignas(64) CacheLine {
    std::byte bytes[64];
};

// An open hash table from entity to index; who asks says what stands at an index.
class EntityIndex {
public:
    void reserve(std::size_t count);
    void insert(std::uint32_t index, std::uint64_t hash);
    // LIMIT: the hash is not keyed; who may declare entities can slow look-ups down, not confuse them.
    static std::uint64_t hash(EntityUid const&);
    template <typename IsAt>
    [[nodiscard]] std::uint32_t find(std::uint64_t wanted, IsAt&& is_at) const
    {
        if (cells_.empty())
            return no_index;
        for (auto at = wanted & (cells_.size() - 1); cells_[at].index != no_index; at = (at + 1) & (cells_.size() - 1))
            if (cells_[at].hash == wanted && is_at(cells_[at].index))
                return cells_[at].index;
        return no_index;
    }
    // In two steps before find(), so that several look-ups wait for memory together.
    void prefetch(std::uint64_t hash) const
    {
        if (!cells_.empty())
            __builtin_prefetch(&cells_[hash & (cells_.size() - 1)]);
    }
    [[nodiscard]] std::uint32_t likely(std::uint64_t hash) const // what find() will most likely look at
    {
        return cells_.empty() ? no_index : cells_[hash & (cells_.size() - 1)].index;
    }
    // Each index becomes new_index[index].
    void renumber(std::span<std::uint32_t const> new_index);
    [[nodiscard]] std::size_t memory() const { return cells_.size() * sizeof(Cell); }

private:
    struct Cell {
        std::uint64_t hash = 0;
        std::uint32_t index = no_index;
    };
    void place(Cell);

    std::vector<Cell, HugePageAllocator<Cell>> cells_;
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
    std::vector<CompiledCondition> conditions;
    std::vector<std::uint32_t> scope_entities;
    std::unordered_map<std::string, std::uint32_t> name_index;
    std::size_t policy_count = 0;

    // Which policies to look at.
    std::vector<std::uint32_t> candidate_actions; // by candidate; no_index: any
    std::vector<Candidate, HugePageAllocator<Candidate>> candidates;
    Bucket any_bucket;
    std::vector<Bucket> principal_type_buckets; // by name
    std::vector<Bucket> resource_type_buckets;
    bool has_type_buckets = false;

    // Entities, and those that policies mention.
    std::vector<CacheLine, HugePageAllocator<CacheLine>> lines;
    EntityIndex index;

    [[nodiscard]] EntityRow const& row(std::uint32_t entity) const { return *reinterpret_cast<EntityRow const*>(&lines[entity]); }
    [[nodiscard]] std::uint32_t find(EntityUid const& uid) const { return find(uid, EntityIndex::hash(uid)); }
    [[nodiscard]] std::uint32_t find(EntityUid const& uid, std::uint64_t hash) const
    {
        return index.find(hash, [&](std::uint32_t entity) { return is_called(row(entity), uid); });
    }

private:
    static bool is_called(EntityRow const&, EntityUid const&);
};

std::unique_ptr<Program const> compile(PolicySet const&, EntityStore const&);

// Extension functions by number, so that a decision compares no names.
std::optional<std::uint8_t> function_index(std::string_view name);
std::size_t function_arguments(std::uint8_t function);

} // namespace writ::cedar
