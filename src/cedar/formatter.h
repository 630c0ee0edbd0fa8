// SPDX-License-Identifier: Apache-2.0
//
// `writ policy fmt`: one way to lay policies out. Words, their order and comments stay; white space and line breaks are ours. Formatting twice changes nothing more.
#pragma once

#include "cedar/policy_set.h"

namespace writ::cedar {

// LIMIT: of a line, where a break is possible at all.
inline constexpr std::size_t line_columns_max = 100;

// The text laid out anew. With problems, if it does not parse, or in the case that laying out changed what it says, the text as it was.
std::string format_policies(PolicySource const&, std::vector<SyntaxProblem>& problems);

} // namespace writ::cedar
