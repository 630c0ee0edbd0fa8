// SPDX-License-Identifier: Apache-2.0
//
// Entities and where they are looked up. A store is filled, then read by many threads; a second store may stand in front of it with the
// entities of one request.
#pragma once

#include "cedar/value.h"

#include <unordered_map>

namespace writ::cedar {

struct Entity {
    EntityUid uid;
    Record attributes;
    Record tags;
    std::vector<EntityUid> parents;
};

struct EntityUidHash {
    std::size_t operator()(EntityUid const&) const noexcept;
};

class EntityStore {
public:
    EntityStore() = default;
    // Entities that are not here are looked for in `behind`, which must outlive this store.
    explicit EntityStore(EntityStore const* behind) : behind_(behind) { }

    // Replaces an entity of the same uid. LIMIT: the caller's.
    void add(Entity);
    [[nodiscard]] Entity const* find(EntityUid const&) const; // nullptr: unknown, which has no attributes and no parents
    [[nodiscard]] Entity const* find_here(EntityUid const&) const; // as find, but not behind
    // Whether `ancestor` is `entity` itself or reachable over parents. Cycles are safe.
    [[nodiscard]] bool is_in(EntityUid const& entity, EntityUid const& ancestor) const;
    [[nodiscard]] std::size_t size() const { return entities_.size(); }
    [[nodiscard]] auto begin() const { return entities_.begin(); }
    [[nodiscard]] auto end() const { return entities_.end(); }

private:
    std::unordered_map<EntityUid, Entity, EntityUidHash> entities_;
    EntityStore const* behind_ = nullptr;
};

// Cedar's JSON form of a list of entities: [{uid, attrs, parents, tags}].
Result<std::vector<Entity>> parse_entities(JsonValue const&);

} // namespace writ::cedar
