// SPDX-License-Identifier: Apache-2.0
//
// One version of what is declared, as far as decisions depend on it.
#pragma once

#include "cedar/entity.h"
#include "cedar/policy_set.h"

#include <memory>

namespace writ::replay {

struct DeclaredWorkload {
    std::string name, pipeline, team;
};

struct Declared {
    std::uint64_t version = 0;
    std::string digest; // SHA-256 of its documents as the store has them, hexadecimal
    std::vector<cedar::PolicySource> sources;
    cedar::PolicySet policies;
    std::shared_ptr<cedar::EntityStore const> entities;
    std::vector<DeclaredWorkload> workloads;
};

} // namespace writ::replay
