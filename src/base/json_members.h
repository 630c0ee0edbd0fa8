// SPDX-License-Identifier: Apache-2.0
//
// Members of what somebody asks for, strictly: what is absent has its default, what is there and of another type is never taken for absent. Errors are
// invalid_argument and name the member.
#pragma once

#include "base/json.h"

#include <initializer_list>

namespace writ {

Result<std::string> text_member_or(JsonObject const&, std::string_view name, std::string_view otherwise);
Result<bool> flag_member(JsonObject const&, std::string_view name); // absent: false

// The first member that is none of these is an error: a misspelt one must not be an absent one.
Result<> check_members(JsonObject const&, std::initializer_list<std::string_view> known);
// What somebody sends, with no members but these.
Result<JsonObject> parse_request(std::string_view body, std::initializer_list<std::string_view> known);

} // namespace writ
