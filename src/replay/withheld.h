// SPDX-License-Identifier: Apache-2.0
//
// Whether what a record does not tell would have mattered.
#pragma once

#include "cedar/policy_set.h"
#include "replay/recorded_request.h"

namespace writ::replay {

// Of what was withheld, that for which a policy in whose scope the request is asks. Careful: one that asks only under another condition counts.
std::vector<Withheld> asked_and_withheld(
    std::vector<Withheld> const&, cedar::Request const&, cedar::PolicySet const&, cedar::EntityStore const&);

} // namespace writ::replay
