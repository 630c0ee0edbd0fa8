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

// {staticPolicies, templates, templateLinks}, all three, and nothing else. A link whose template is in the set comes out as a link.
JsonValue to_json(PolicySet const&);
Result<PolicySet> parse_policy_set_json(JsonValue const&);

// A policy of a template, its slots filled. Slots that are not filled, or fillings without a slot, are an error.
Result<Policy> link(Policy const& policy_template, std::string id, std::optional<EntityUid> principal, std::optional<EntityUid> resource);

struct TemplateLink {
    std::string template_id;
    std::string new_id;
    std::optional<EntityUid> principal, resource; // fills `?principal`, `?resource`
};
// The set with one policy more. not_found: it has no such template; conflict: the id is taken.
Result<PolicySet> link(PolicySet const&, TemplateLink);

} // namespace writ::cedar
