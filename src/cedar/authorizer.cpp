// SPDX-License-Identifier: Apache-2.0
#include "cedar/authorizer.h"

#include "cedar/evaluator.h"

namespace writ::cedar {

Decision decide(Request const& request, PolicySet const& policies, EntityStore const& entities)
{
    Evaluator const evaluator(request, entities);
    Decision decision;
    std::vector<std::string> permits;
    std::vector<std::string> forbids;
    // SECURITY: no early exit on the first forbid; the record names every policy that decided.
    for (auto const& policy : policies.policies()) {
        auto const satisfied = evaluator.satisfied(*policy);
        if (satisfied.is_error())
            decision.errors.push_back({ policy->id, satisfied.error().message });
        else if (*satisfied)
            (policy->effect == Effect::permit ? permits : forbids).push_back(policy->id);
    }
    decision.allowed = forbids.empty() && !permits.empty();
    decision.determining = std::move(forbids.empty() ? permits : forbids);
    return decision;
}

} // namespace writ::cedar
