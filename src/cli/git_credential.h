// SPDX-License-Identifier: Apache-2.0
//
// SPEC: git-credential(1), input/output format: `key=value` lines up to an empty one.
#pragma once

#include "cli/placed_token.h"
#include "cli/static_credentials.h"

namespace writ::cli {

// LIMIT: what git asks with; a path, and what the server said of how it authenticates.
inline constexpr std::size_t git_question_bytes_max = 64U << 10U;

// `https://host[:port][/path]`, where git goes. What the user's name is in it is not asked. invalid_argument: no such question.
Result<std::string> parse_git_question(std::string_view text);

// invalid_argument: a token that no line can hold.
Result<SecretText> git_answer(PlacedToken const&);

// A value, or a subsection, as a configuration has it.
std::string git_quoted(std::string_view);
// A configuration with this helper for these places, and no other there; `command` as a shell takes it.
std::string git_config_text(std::vector<Place> const&, std::string_view command);
// By which git reads that file besides the user's own configuration, which says how many such variables there are already.
Variables git_variables(Variables const& own, Path const& file);

} // namespace writ::cli
