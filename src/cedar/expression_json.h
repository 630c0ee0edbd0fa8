// SPDX-License-Identifier: Apache-2.0
//
// Expressions in Cedar's JSON form, both ways.
#pragma once

#include "cedar/ast.h"

namespace writ::cedar {

JsonValue to_json(Expression const&);
// Nesting is bounded by expression_depth_max. Places are empty.
Result<Expression> parse_expression_json(JsonValue const&);

} // namespace writ::cedar
