// SPDX-License-Identifier: Apache-2.0
//
// The authority's options that concern the witnesses of its log.
#pragma once

#include "programs/role.h"

namespace writ::programs {

Result<authority::WitnessingOptions> witnessing_of(RoleOptions const&);

} // namespace writ::programs
