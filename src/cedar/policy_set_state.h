// SPDX-License-Identifier: Apache-2.0
//
// What a PolicySet shares.
#pragma once

#include "cedar/ast.h"

namespace writ::cedar {

struct PolicySet::State {
    std::vector<std::shared_ptr<Policy const>> policies;
    std::vector<std::shared_ptr<Policy const>> templates;
};

} // namespace writ::cedar
