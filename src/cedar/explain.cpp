// SPDX-License-Identifier: Apache-2.0
//
// Why a request is denied, in facts: of the permits that came nearest, or of the forbids that decided.
#include "cedar/authorizer.h"
#include "cedar/explainer.h"

#include <algorithm>

namespace writ::cedar {

namespace {

constexpr std::size_t facts_per_policy_max = 3;

struct Lack {
    Policy const* policy = nullptr;
    std::size_t order = 0;
    std::size_t scope_failures = 0;
    bool is_other_action = false;
    Facts facts;
};

Lack lack_of(Policy const& policy, Request const& request, EntityStore const& entities, bool wants, std::size_t order)
{
    Explainer explainer(request, entities);
    Lack lack { .policy = &policy, .order = order };
    merge(lack.facts, explainer.explain(policy.action, "action", request.action, wants));
    lack.is_other_action = !lack.facts.empty();
    merge(lack.facts, explainer.explain(policy.resource, "resource", request.resource, wants));
    merge(lack.facts, explainer.explain(policy.principal, "principal", request.principal, wants));
    lack.scope_failures = lack.facts.size();
    for (auto const& condition : policy.conditions)
        merge(lack.facts, explainer.explain(condition.body, wants != condition.is_unless));
    return lack;
}

Facts facts_of_forbids(Request const& request, PolicySet const& policies, EntityStore const& entities)
{
    Facts facts;
    Evaluator const evaluator(request, entities);
    for (auto const& policy : policies.policies()) {
        auto const satisfied = evaluator.satisfied(*policy);
        if (policy->effect != Effect::forbid || satisfied.is_error() || !*satisfied)
            continue;
        auto lack = lack_of(*policy, request, entities, false, 0);
        // Of a forbid with conditions these tell more than whom it is for.
        if (!policy->conditions.empty() && lack.facts.size() > lack.scope_failures)
            lack.facts.erase(lack.facts.begin(), lack.facts.begin() + static_cast<std::ptrdiff_t>(lack.scope_failures));
        if (lack.facts.empty())
            lack.facts.push_back({ "action", to_string(request.action), "not any action" });
        lack.facts.resize(std::min(lack.facts.size(), facts_per_policy_max), MissingFact {});
        merge(facts, lack.facts);
    }
    return facts;
}

// Those that came nearest first: of the action asked for, with fewest failures of scope, then fewest in all.
std::vector<Lack> nearest_first(Request const& request, PolicySet const& policies, EntityStore const& entities, std::size_t permits_max)
{
    std::vector<Lack> lacks;
    for (auto const& policy : policies.policies())
        if (policy->effect == Effect::permit)
            lacks.push_back(lack_of(*policy, request, entities, true, lacks.size()));
    std::sort(lacks.begin(), lacks.end(), [](Lack const& a, Lack const& b) {
        return std::tuple(a.is_other_action, a.scope_failures, a.facts.size(), a.order) < std::tuple(b.is_other_action, b.scope_failures, b.facts.size(), b.order);
    });
    lacks.resize(std::min(permits_max, lacks.size()));
    return lacks;
}

} // namespace

std::vector<MissingFact> explain_denial(Request const& request, PolicySet const& policies, EntityStore const& entities, std::size_t permits_max)
{
    if (decide(request, policies, entities).allowed)
        return {};
    if (auto facts = facts_of_forbids(request, policies, entities); !facts.empty())
        return facts;
    Facts facts;
    for (auto& lack : nearest_first(request, policies, entities, permits_max)) {
        lack.facts.resize(std::min(lack.facts.size(), facts_per_policy_max), MissingFact {});
        merge(facts, lack.facts);
    }
    return facts;
}

std::vector<Policy const*> nearest_permits(Request const& request, PolicySet const& policies, EntityStore const& entities, std::size_t permits_max)
{
    std::vector<Policy const*> nearest;
    for (auto const& lack : nearest_first(request, policies, entities, permits_max))
        nearest.push_back(lack.policy);
    return nearest;
}

} // namespace writ::cedar
