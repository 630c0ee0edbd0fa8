// SPDX-License-Identifier: Apache-2.0
//
// Where entities lie: each in cache lines of its own, with all that a request may ask of it.
#include "cedar/draft.h"

#include <algorithm>

namespace writ::cedar {

namespace {

class EntityLayout {
public:
    explicit EntityLayout(Draft& draft)
        : draft_(draft)
        , program_(*draft.program)
    {
    }

    void run()
    {
        place();
        for (std::uint32_t i = 0; i < draft_.entities.size(); ++i)
            write(i);
        program_.index.renumber(lines_);
        renumber_policies();
    }

private:
    using Own = Bucket DraftEntity::*;

    static std::size_t name_bytes(EntityUid const& uid) { return sizeof(std::uint32_t) + uid.type.size() + uid.id.size(); }

    [[nodiscard]] std::uint32_t bucket_count(DraftEntity const& entity, Own own) const
    {
        auto count = std::uint32_t { (entity.*own).count > 0 };
        for (auto i = entity.ancestors_begin; i < entity.ancestors_end; ++i)
            count += (draft_.entities[draft_.ancestors[i]].*own).count > 0;
        return count;
    }

    [[nodiscard]] std::size_t bytes(DraftEntity const& entity) const
    {
        auto const attributes = entity.attributes_end - entity.attributes_begin;
        auto const buckets = entity.principal_bucket_count + entity.resource_bucket_count;
        return sizeof(EntityRow) + attributes * (sizeof(Slot) + sizeof(std::uint32_t)) + buckets * sizeof(Bucket)
            + (entity.ancestors_end - entity.ancestors_begin) * sizeof(std::uint32_t) + name_bytes(*entity.uid);
    }

    void place()
    {
        std::size_t line = 0;
        lines_.reserve(draft_.entities.size());
        for (auto& entity : draft_.entities) {
            entity.principal_bucket_count = bucket_count(entity, &DraftEntity::principal_bucket);
            entity.resource_bucket_count = bucket_count(entity, &DraftEntity::resource_bucket);
            lines_.push_back(static_cast<std::uint32_t>(line));
            line += (bytes(entity) + sizeof(CacheLine) - 1) / sizeof(CacheLine);
        }
        // LIMIT: 2^32 lines, 256 GiB.
        ASSERT(line < no_index);
        program_.lines.resize(line);
    }

    void write(std::uint32_t index)
    {
        auto const& entity = draft_.entities[index];
        auto* const row = std::construct_at(reinterpret_cast<EntityRow*>(&program_.lines[lines_[index]]));
        row->uid = entity.uid;
        row->entity = entity.entity;
        row->type = entity.type;
        row->attribute_count = entity.attributes_end - entity.attributes_begin;
        row->principal_bucket_count = entity.principal_bucket_count;
        row->resource_bucket_count = entity.resource_bucket_count;
        row->ancestor_count = entity.ancestors_end - entity.ancestors_begin;
        row->name_bytes = static_cast<std::uint32_t>(name_bytes(*entity.uid));
        row->own_principal_bucket = entity.principal_bucket;
        row->own_resource_bucket = entity.resource_bucket;
        row->is_ancestor = entity.is_ancestor;
        // In the order in which EntityRow reads.
        at_ = reinterpret_cast<std::byte*>(row + 1);
        for (auto i = entity.attributes_begin; i < entity.attributes_end; ++i)
            put(renumbered(draft_.attributes[i].value));
        if (entity.principal_bucket_count > 0)
            put_buckets(entity, &DraftEntity::principal_bucket);
        if (entity.resource_bucket_count > 0)
            put_buckets(entity, &DraftEntity::resource_bucket);
        for (auto i = entity.attributes_begin; i < entity.attributes_end; ++i)
            put(draft_.attributes[i].name);
        // Lines follow the draft's order, so that what was sorted stays so.
        for (auto i = entity.ancestors_begin; i < entity.ancestors_end; ++i)
            put(lines_[draft_.ancestors[i]]);
        put(static_cast<std::uint32_t>(entity.uid->type.size()));
        put_text(entity.uid->type);
        put_text(entity.uid->id);
    }

    void put_buckets(DraftEntity const& entity, Own own)
    {
        if ((entity.*own).count > 0)
            put(entity.*own);
        for (auto i = entity.ancestors_begin; i < entity.ancestors_end; ++i)
            if (auto const& bucket = draft_.entities[draft_.ancestors[i]].*own; bucket.count > 0)
                put(bucket);
    }

    template <typename T> void put(T const& value)
    {
        std::construct_at(reinterpret_cast<T*>(at_), value);
        at_ += sizeof value;
    }

    void put_text(std::string const& text)
    {
        std::memcpy(at_, text.data(), text.size());
        at_ += text.size();
    }

    [[nodiscard]] Slot renumbered(Slot slot) const
    {
        if (slot.tag == Slot::Tag::entity && slot.extent != no_index)
            slot.extent = lines_[slot.extent];
        return slot;
    }

    void renumber(ScopeTest& test) const
    {
        if (test.count == 1)
            test.first = lines_[test.first];
    }

    void renumber_policies()
    {
        for (auto& constant : program_.constants)
            constant = renumbered(constant);
        for (auto& list : program_.constant_lists)
            for (auto& element : list)
                element = renumbered(element);
        for (auto& entity : program_.scope_entities)
            entity = lines_[entity];
        for (auto& action : program_.candidate_actions)
            if (action != no_index)
                action = lines_[action];
        for (auto& candidate : program_.candidates)
            for (auto* test : { &candidate.principal, &candidate.action, &candidate.resource })
                renumber(*test);
    }

    Draft& draft_;
    Program& program_;
    std::vector<std::uint32_t> lines_; // by entity of the draft
    std::byte* at_ = nullptr;
};

} // namespace

void lay_out_entities(Draft& draft) { EntityLayout(draft).run(); }

} // namespace writ::cedar
