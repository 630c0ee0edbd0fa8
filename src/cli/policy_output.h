// SPDX-License-Identifier: Apache-2.0
//
// What the commands of `writ policy` print alike, and how they read policies.
#pragma once

#include "cedar/validator.h"
#include "cli/output.h"

namespace writ::cli {

// `path:line:column: message` on standard error, a line each.
void print_problems(std::vector<cedar::SyntaxProblem> const&);
JsonArray problems_json(std::vector<cedar::SyntaxProblem> const&);
// `3 problems`.
Error problem_count(std::size_t);

// As vocabulary::parse_policies reads them; problems are printed.
Result<cedar::PolicySet> read_policies(std::vector<std::string> const& paths);

std::string decision_text(bool allowed); // allow, deny
std::string list_of(std::vector<std::string> const& names);
JsonArray names_json(std::vector<std::string> const& names);

} // namespace writ::cli
