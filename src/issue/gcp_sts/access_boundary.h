// SPDX-License-Identifier: Apache-2.0
//
// The credential access boundary of a Google Cloud token: of what its service account may do in Cloud Storage, only this. Written from decisions, so that
// a token is never wider than what was decided. SPEC: Google Cloud IAM, Security Token Service, AccessBoundary.
#pragma once

#include "issue/object_place.h"

namespace writ::issue {

// LIMIT: rules that a boundary may have.
inline constexpr std::size_t boundary_rules_max = 10;

// The JSON that STS takes as `options`. invalid_argument: more rules than a boundary has.
Result<std::string> access_boundary_options(std::span<ObjectAccess const>);

} // namespace writ::issue
