// SPDX-License-Identifier: Apache-2.0
//
// Expressions and policies as Cedar text that parses to the same again.
#pragma once

#include "cedar/ast.h"

namespace writ::cedar {

std::string to_string(Expression const&);
std::string to_string(ScopeConstraint const&, std::string_view variable);
// On several lines, without a line break at the end.
std::string to_string(Policy const&);

// How tight the outermost operator binds, from 0 (if) to 7 (member access): what the formatter needs to put parentheses.
int binding(Expression const&);
// An infix operator's sign: ` && `. Empty for what is none.
std::string_view infix_sign(Operator);
std::string pattern_text(Pattern const&); // without quotes

} // namespace writ::cedar
