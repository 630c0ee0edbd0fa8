// SPDX-License-Identifier: Apache-2.0
//
// Reports and suggestions as JSON: what the authority sends and what commands print. api/openapi.yaml has their form.
#pragma once

#include "base/json.h"
#include "replay/replay.h"
#include "replay/suggestion.h"

namespace writ::replay {

// With so many of its groups, as ordered_changes() has them.
JsonObject to_json(Report const&, std::size_t changes_max = groups_max);
JsonObject to_json(Suggestion const&);

} // namespace writ::replay
