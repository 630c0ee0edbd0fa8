// SPDX-License-Identifier: Apache-2.0
//
// Takes an expression apart to the comparisons that decided it, each as a fact: what was asked for, what was found, what was wanted. Private to
// cedar.
#pragma once

#include "cedar/authorizer.h"
#include "cedar/evaluator.h"

namespace writ::cedar {

using Facts = std::vector<MissingFact>;

// Facts that are not there yet; of two about one thing the one that says more.
void merge(Facts& facts, Facts const& more);

class Explainer {
public:
    Explainer(Request const& request, EntityStore const& entities)
        : entities_(entities)
        , evaluator_(request, entities)
    {
    }

    [[nodiscard]] Evaluator const& evaluator() const { return evaluator_; }
    // What of the scope does not match, or with `wants` false, what matches.
    [[nodiscard]] Facts explain(ScopeConstraint const&, std::string_view variable, EntityUid const&, bool wants) const;
    // Why `expression` is not `wants`.
    [[nodiscard]] Facts explain(Expression const&, bool wants) const;
    // Why `expression` is what it is: each comparison that made it so, with what was found; `wanted` is what holds of it.
    [[nodiscard]] Facts reasons(Expression const&) const;

private:
    [[nodiscard]] Facts every(Expression const&, bool wants) const;
    [[nodiscard]] Facts nearest(Expression const&, bool wants) const;
    [[nodiscard]] Facts conditional(Expression const&, bool wants) const;
    [[nodiscard]] MissingFact atom(Expression const&, bool wants) const;
    [[nodiscard]] MissingFact equality(Expression const&, std::string const& no) const;
    [[nodiscard]] MissingFact comparison(Expression const&, std::string sign) const;
    [[nodiscard]] MissingFact membership(Expression const&, std::string const& no) const;
    [[nodiscard]] MissingFact in_fact(std::string const& name, EntityUid const&, std::vector<EntityUid> const& wanted, std::string const& no) const;
    [[nodiscard]] MissingFact containment(Expression const&, std::string const& no) const;
    [[nodiscard]] MissingFact call(Expression const&, std::string const& no) const;
    [[nodiscard]] std::string found(Expression const&) const;
    [[nodiscard]] std::vector<EntityUid> ancestors(EntityUid const&) const;

    EntityStore const& entities_;
    Evaluator evaluator_;
};

// The permits that came nearest to what a request asks for, the nearest first.
std::vector<Policy const*> nearest_permits(Request const&, PolicySet const&, EntityStore const&, std::size_t permits_max);

// `not X` of `X`, and the other way.
std::string opposite(std::string const& wanted);

} // namespace writ::cedar
