// SPDX-License-Identifier: Apache-2.0
//
// Policies and entities in files.
#pragma once

#include "cedar/entity.h"
#include "cedar/policy_set.h"

#include <string>
#include <vector>

namespace writ::cli {

// The .cedar files among the paths and in folders below them, in order of their paths. not_found: none.
Result<std::vector<cedar::PolicySource>> read_policy_sources(std::vector<std::string> const& paths);

// From a list of entities, or a golden table, which has its entities too; of no file there are none.
Result<cedar::EntityStore> read_entities(std::string const& file);

} // namespace writ::cli
