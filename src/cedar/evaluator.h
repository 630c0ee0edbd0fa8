// SPDX-License-Identifier: Apache-2.0
//
// What an expression is worth for one request: the language's meaning written down as plainly as can be. The engine that decides is faster and is held against
// this one by a property test; explanations are made with it. One thread; refers to what it was made with.
#pragma once

#include "cedar/ast.h"
#include "cedar/authorizer.h"

namespace writ::cedar {

class Evaluator {
public:
    Evaluator(Request const& request, EntityStore const& entities)
        : request_(request)
        , entities_(entities)
        , context_(Value::record(request.context))
    {
    }

    [[nodiscard]] Result<Value> evaluate(Expression const&) const;
    // An expression that must be a bool.
    [[nodiscard]] Result<bool> holds(Expression const&) const;
    [[nodiscard]] bool matches(ScopeConstraint const&, EntityUid const&) const;
    // Scope and conditions; an error only after the scope matched.
    [[nodiscard]] Result<bool> satisfied(Policy const&) const;

private:
    [[nodiscard]] Result<Value> value_of(Expression const&) const;
    [[nodiscard]] Result<bool> truth_of(Expression const&) const;
    Result<> spend(std::uint64_t steps) const;
    [[nodiscard]] Value variable(Variable) const;
    [[nodiscard]] Result<Value> every(Expression const&, bool stop_at) const;
    [[nodiscard]] Result<Value> equality(Expression const&) const;
    [[nodiscard]] Result<Value> compare(Expression const&) const;
    [[nodiscard]] Result<Value> arithmetic(Expression const&) const;
    [[nodiscard]] Result<Value> membership(Expression const&) const;
    [[nodiscard]] Result<Value> in(EntityUid const&, Value const& ancestors) const;
    [[nodiscard]] Result<Value> set_method(Expression const&) const;
    [[nodiscard]] Result<Value> tag(Expression const&) const;
    [[nodiscard]] Result<Value> attribute(Expression const&) const;
    [[nodiscard]] Result<Value> has_attribute(Expression const&) const;
    [[nodiscard]] Result<Value> is_type(Expression const&) const;
    [[nodiscard]] Result<Value> like(Expression const&) const;
    [[nodiscard]] Result<Value> set(Expression const&) const;
    [[nodiscard]] Result<Value> record(Expression const&) const;
    [[nodiscard]] Result<Value> call(Expression const&) const;

    Request const& request_;
    EntityStore const& entities_;
    Value context_;
    mutable std::uint64_t work_ = 0; // of the policy or expression that is evaluated
};

// An extension function or method, e.g. `isInRange` of two addresses.
Result<Value> call_function(std::string_view name, std::vector<Value> const& arguments);

// Arithmetic and order as functions alone, so that every engine has the same.
Result<Value> add(std::int64_t, std::int64_t);
Result<Value> subtract(std::int64_t, std::int64_t);
Result<Value> multiply(std::int64_t, std::int64_t);
Result<Value> negate(std::int64_t);
Error wrong_type(std::string_view wanted, Value const& found);

} // namespace writ::cedar
