// SPDX-License-Identifier: Apache-2.0
#include "cedar/explanation.h"

#include "cedar/explainer.h"
#include "cedar/printer.h"

#include <algorithm>

namespace writ::cedar {

namespace {

class PolicyExplainer {
public:
    PolicyExplainer(Policy const& policy, Request const& request, EntityStore const& entities)
        : policy_(policy)
        , request_(request)
        , explainer_(request, entities)
    {
    }

    ExplainedPolicy run()
    {
        scope(policy_.principal, "principal", request_.principal);
        scope(policy_.action, "action", request_.action);
        scope(policy_.resource, "resource", request_.resource);
        for (auto const& condition : policy_.conditions)
            parts_of(condition.body, condition.is_unless);
        return std::move(made_);
    }

private:
    void scope(ScopeConstraint const& constraint, std::string_view variable, EntityUid const& entity)
    {
        bool const matches = explainer_.evaluator().matches(constraint, entity);
        ExplainedPart part { to_string(constraint, variable), line_of(constraint.span), matches ? Outcome::holds : Outcome::fails, {}, {} };
        part.facts = explainer_.explain(constraint, variable, entity, !matches);
        if (matches)
            for (auto& fact : part.facts)
                fact.wanted = opposite(fact.wanted);
        if (part.facts.empty())
            part.facts.push_back({ std::string(variable), to_string(entity), "any" });
        made_.parts.push_back(std::move(part));
    }

    // `a && b` of a `when` are two conditions; so are `a || b` of an `unless`.
    void parts_of(Expression const& expression, bool is_unless)
    {
        if (expression.op == (is_unless ? Operator::any : Operator::all)) {
            for (auto const& child : expression.children)
                parts_of(child, is_unless);
            return;
        }
        ExplainedPart part { (is_unless ? "unless " : "when ") + to_string(expression), line_of(expression.span), Outcome::errs, {}, {} };
        auto const value = explainer_.evaluator().holds(expression);
        if (value.is_error()) {
            part.error = value.error().message;
            if (std::any_of(made_.parts.begin(), made_.parts.end(), [](ExplainedPart const& before) { return before.outcome != Outcome::holds; }))
                part.outcome = Outcome::not_reached;
        } else {
            part.outcome = *value != is_unless ? Outcome::holds : Outcome::fails;
            part.facts = part.outcome == Outcome::holds ? explainer_.reasons(expression) : explainer_.explain(expression, !is_unless);
        }
        if (part.facts.size() > facts_per_part_max)
            part.facts.resize(facts_per_part_max);
        made_.parts.push_back(std::move(part));
    }

    // Policies that come from JSON have no places.
    [[nodiscard]] int line_of(SourceSpan span) const { return span.end == 0 ? 0 : span.line; }

    Policy const& policy_;
    Request const& request_;
    Explainer explainer_;
    ExplainedPolicy made_ { policy_.id, policy_.path, line_of(policy_.span), policy_.effect, {} };
};

bool is_named(std::vector<std::string> const& ids, std::string const& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

} // namespace

std::string_view to_string(Outcome outcome)
{
    switch (outcome) {
    case Outcome::holds: return "holds";
    case Outcome::fails: return "fails";
    case Outcome::errs: return "errs";
    case Outcome::not_reached: return "not reached";
    }
    return "";
}

ExplainedPolicy explain(Policy const& policy, Request const& request, EntityStore const& entities) { return PolicyExplainer(policy, request, entities).run(); }

Explanation explain(Request const& request, PolicySet const& policies, EntityStore const& entities, std::size_t nearest_max)
{
    Explanation made { .decision = decide(request, policies, entities), .determining = {}, .erring = {}, .nearest = {} };
    std::vector<std::string> erring;
    for (auto const& error : made.decision.errors)
        erring.push_back(error.policy);
    for (auto const& policy : policies.policies()) {
        if (is_named(made.decision.determining, policy->id))
            made.determining.push_back(explain(*policy, request, entities));
        if (is_named(erring, policy->id))
            made.erring.push_back(explain(*policy, request, entities));
    }
    if (made.decision.determining.empty())
        for (auto const* const policy : nearest_permits(request, policies, entities, nearest_max))
            made.nearest.push_back(explain(*policy, request, entities));
    return made;
}

} // namespace writ::cedar
