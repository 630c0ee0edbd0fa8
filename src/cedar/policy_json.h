// SPDX-License-Identifier: Apache-2.0
//
// Policies, templates and sets of them in Cedar's JSON form, both ways; and the linking of templates.
// https://docs.cedarpolicy.com/policies/json-format.html
#pragma once

#include "cedar/ast.h"

namespace writ::cedar {

JsonValue to_json(Policy const&);
// Without id and places. Errors name the member.
Result<Policy> parse_policy_json(JsonValue const&);

// {staticPolicies, templates, templateLinks}; links come out as policies.
JsonValue to_json(PolicySet const&);
Result<PolicySet> parse_policy_set_json(JsonValue const&);

// A policy of a template, its slots filled. Slots that are not filled, or fillings without a slot, are an error.
Result<Policy> link(Policy const& policy_template, std::string id, std::optional<EntityUid> principal, std::optional<EntityUid> resource);

} // namespace writ::cedar
