// SPDX-License-Identifier: Apache-2.0
//
// The decision: one pure function over policies, entities and a request. It cannot fail; a policy that errs is skipped and named.
// https://docs.cedarpolicy.com/auth/authorization.html
#pragma once

#include "cedar/entity.h"
#include "cedar/policy_set.h"

namespace writ::cedar {

struct Request {
    EntityUid principal;
    EntityUid action;
    EntityUid resource;
    Record context;
};

struct PolicyError {
    std::string policy;
    std::string message;
};

struct Decision {
    bool allowed = false;
    std::vector<std::string> determining; // ids, in the set's order: the permits of an allow, the forbids of a denial
    std::vector<PolicyError> errors;
};

// Default deny; any satisfied forbid wins. Thread-safe, pure.
Decision decide(Request const&, PolicySet const&, EntityStore const&);

// A condition that failed, in words that give nothing of a policy's text away but the fact it asked for.
struct MissingFact {
    std::string fact;   // `context.purpose`, `principal in Pipeline`, `resource.purpose`
    std::string found;  // the value found, as a literal; `absent`
    std::string wanted; // `one of ["evaluate", "train"]`, `> decimal("0.90")`, `Pipeline::"biopsy-classifier"`, `not "train"`
};

// Why a request is denied: of the permits, those that came nearest (fewest failed conditions, scope first), at most 3 facts each for `permits_max` of them; if a forbid decided, what of it
// held (`wanted` begins with `not`). Empty if the request is allowed. Deterministic.
std::vector<MissingFact> explain_denial(Request const&, PolicySet const&, EntityStore const&, std::size_t permits_max = 1);

} // namespace writ::cedar
