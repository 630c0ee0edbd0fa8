// SPDX-License-Identifier: Apache-2.0
//
// Whether policies, entities and requests follow a schema. A set that passes strict validation errs only on overflow, on entities that are missing, and on
// data that was not validated. https://docs.cedarpolicy.com/policies/validation.html
#pragma once

#include "cedar/type.h"

namespace writ::cedar {

struct ValidationProblem {
    std::string policy; // id
    std::string path;
    SourceSpan span;
    std::string message; // what was found, what was expected, and a name that may have been meant
};

// All problems of all policies and templates, each once, in their order.
std::vector<ValidationProblem> validate(PolicySet const&, Schema const&, ValidationMode = ValidationMode::strict);
std::vector<ValidationProblem> validate(Policy const&, Schema const&, ValidationMode = ValidationMode::strict);

Result<> validate_entity(Entity const&, Schema const&);
Result<> validate_request(Request const&, Schema const&);

} // namespace writ::cedar
