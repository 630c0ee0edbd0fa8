// SPDX-License-Identifier: Apache-2.0
#include "cedar/mutation.h"

#include "cedar/printer.h"

namespace writ::cedar {

namespace {

class Mutator {
public:
    explicit Mutator(Policy const& policy)
        : policy_(policy)
        , changed_(policy)
    {
    }

    std::vector<Mutation> run()
    {
        scope(changed_.principal, "principal");
        scope(changed_.action, "action");
        scope(changed_.resource, "resource");
        for (std::size_t i = 0; i < policy_.conditions.size(); ++i) {
            auto const& condition = policy_.conditions[i];
            changed_.conditions.erase(changed_.conditions.begin() + static_cast<std::ptrdiff_t>(i));
            add("without `" + to_string(condition.body) + "`", condition.body.span);
            changed_.conditions = policy_.conditions;
            expression(changed_.conditions[i].body);
        }
        return std::move(made_);
    }

private:
    void add(std::string what, SourceSpan span) { made_.push_back({ std::move(what), span.line, changed_ }); }

    // A scope that asks for nothing; and of a list of actions, each one left out.
    void scope(ScopeConstraint& constraint, std::string_view variable)
    {
        auto const before = constraint;
        if (before.kind == ScopeConstraint::Kind::any || before.is_slot)
            return;
        constraint = ScopeConstraint { .span = before.span };
        add("any " + std::string(variable), before.span);
        constraint = before;
        for (std::size_t i = 0; before.entities.size() > 1 && i < before.entities.size(); ++i) {
            constraint.entities.erase(constraint.entities.begin() + static_cast<std::ptrdiff_t>(i));
            add("without `" + to_string(before.entities[i]) + "`", before.span);
            constraint = before;
        }
    }

    // `place` is within changed_, and what it was again afterwards.
    void expression(Expression& place)
    {
        auto const before = place;
        if (before.op != Operator::all && before.op != Operator::any && before.op != Operator::negation) {
            place = opposite(before);
            add("not `" + to_string(before) + "`", before.span);
            place = before;
            return;
        }
        for (std::size_t i = 0; i < before.children.size(); ++i) {
            if (before.children.size() > 1) {
                if (before.children.size() == 2)
                    place = before.children[1 - i];
                else
                    place.children.erase(place.children.begin() + static_cast<std::ptrdiff_t>(i));
                add("without `" + to_string(before.children[i]) + "`", before.children[i].span);
                place = before;
            }
            expression(place.children[i]);
        }
    }

    static Expression opposite(Expression const& operand)
    {
        Expression made { .op = Operator::negation, .depth = operand.depth + 1, .span = operand.span };
        made.children.push_back(operand);
        return made;
    }

    Policy const& policy_;
    Policy changed_;
    std::vector<Mutation> made_;
};

} // namespace

std::vector<Mutation> mutations_of(Policy const& policy) { return Mutator(policy).run(); }

} // namespace writ::cedar
