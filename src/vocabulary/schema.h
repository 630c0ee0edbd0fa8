// SPDX-License-Identifier: Apache-2.0
//
// What Writ's policies speak about: the Cedar schema of workloads, resources, actions and context that ships as policies/writ.cedarschema.
// Thread-safe.
#pragma once

#include "cedar/validator.h"

#include <string_view>

namespace writ::vocabulary {

std::string_view schema_text();
cedar::Schema const& schema();

// Policies that are well-formed and speak of nothing that the schema does not know. With any problem the set is empty. What takes effect is held to it strictly.
cedar::PolicySet parse_policies(std::vector<cedar::PolicySource> const&, std::vector<cedar::SyntaxProblem>& problems,
    cedar::ValidationMode = cedar::ValidationMode::strict);

} // namespace writ::vocabulary
