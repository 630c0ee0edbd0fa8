// SPDX-License-Identifier: Apache-2.0
//
// A program while it is made: policies and entities in the order they were met, before entities get their place in memory. Private to the compiler.
#pragma once

#include "cedar/program.h"

namespace writ::cedar {

struct DraftEntity {
    EntityUid const* uid = nullptr;
    Entity const* entity = nullptr;
    std::uint32_t type = no_index;
    std::uint32_t ancestors_begin = 0, ancestors_end = 0; // into Draft::ancestors
    std::uint32_t attributes_begin = 0, attributes_end = 0;
    Bucket principal_bucket, resource_bucket;
    std::uint32_t principal_bucket_count = 0, resource_bucket_count = 0; // its own and its ancestors', those that are not empty
    bool is_ancestor = false;
};

struct DraftAttribute {
    std::uint32_t name = 0;
    Slot value;
};

struct Draft {
    std::unique_ptr<Program> program = std::make_unique<Program>();
    std::vector<Candidate> policies; // scope and conditions of each policy
    std::vector<DraftEntity> entities;
    std::vector<std::uint32_t> ancestors;
    std::vector<DraftAttribute> attributes;
};

// Sorts policies into buckets.
void build_scope_index(Draft&);
// Gives entities their lines, and everything that names one its new index.
void lay_out_entities(Draft&);

} // namespace writ::cedar
