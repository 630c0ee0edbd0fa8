// SPDX-License-Identifier: Apache-2.0
//
// Small changes to a policy that a golden table must notice: a part of the scope or a condition dropped, a condition turned into its opposite. A
// change that no row notices shows what no row is about. Pure.
#pragma once

#include "cedar/ast.h"

namespace writ::cedar {

struct Mutation {
    std::string what; // ``without `resource.signed` ``, ``not `resource.signed` ``, ``any action``
    int line = 0;     // of what was changed
    Policy policy;
};

// Of each part of the scope, and of each operand of `&&` and `||` in a condition, however deep these stand in each other or under `!`.
std::vector<Mutation> mutations_of(Policy const&);

} // namespace writ::cedar
