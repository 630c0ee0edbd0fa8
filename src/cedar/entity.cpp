// SPDX-License-Identifier: Apache-2.0
#include "cedar/entity.h"

#include <functional>
#include <unordered_set>

namespace writ::cedar {

std::size_t EntityUidHash::operator()(EntityUid const& uid) const noexcept
{
    auto const type = std::hash<std::string> {}(uid.type);
    return std::hash<std::string> {}(uid.id) ^ (type * 0x9E3779B97F4A7C15U + (type >> 7U));
}

void EntityStore::add(Entity entity)
{
    auto uid = entity.uid;
    entities_.insert_or_assign(std::move(uid), std::move(entity));
}

Entity const* EntityStore::find_here(EntityUid const& uid) const
{
    // LIMIT: up to this many are compared sooner than one is hashed; what stands in front of a request is so few.
    static constexpr std::size_t few = 4;
    if (entities_.size() <= few) {
        for (auto const& [known, entity] : entities_)
            if (known == uid)
                return &entity;
        return nullptr;
    }
    auto const found = entities_.find(uid);
    return found == entities_.end() ? nullptr : &found->second;
}

Entity const* EntityStore::find(EntityUid const& uid) const
{
    if (auto const* found = find_here(uid))
        return found;
    return behind_ != nullptr ? behind_->find(uid) : nullptr;
}

bool EntityStore::is_in(EntityUid const& entity, EntityUid const& ancestor) const
{
    if (entity == ancestor)
        return true;
    std::unordered_set<EntityUid const*> seen;
    std::vector<Entity const*> open { find(entity) };
    while (!open.empty()) {
        auto const* next = open.back();
        open.pop_back();
        // An entity in the store has one address; what is not in it has no parents.
        if (next == nullptr || !seen.insert(&next->uid).second)
            continue;
        for (auto const& parent : next->parents) {
            if (parent == ancestor)
                return true;
            open.push_back(find(parent));
        }
    }
    return false;
}

} // namespace writ::cedar
