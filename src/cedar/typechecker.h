// SPDX-License-Identifier: Apache-2.0
//
// The type of an expression for one kind of request: a principal's type, an action and a resource's type. What is known to be false is not looked behind, so that a
// policy may ask `principal is User && principal.name == …`.
#pragma once

#include "cedar/ast.h"
#include "cedar/validator.h"

#include <functional>

namespace writ::cedar {

struct RequestKind {
    std::string principal;
    ActionSchema const* action = nullptr;
    std::string resource;
};

// Facts that hold where an expression is looked at: `context has purpose` as ("context", "purpose"), tags likewise, with a mark.
struct Capability {
    std::string expression;
    std::string name;
    bool is_tag = false;
    auto operator<=>(Capability const&) const = default;
};
using Capabilities = std::set<Capability>;

class Typechecker {
public:
    using Report = std::function<void(SourceSpan, std::string)>;

    Typechecker(Schema const& schema, ValidationMode mode, RequestKind const& kind, Report report)
        : schema_(schema)
        , mode_(mode)
        , kind_(kind)
        , report_(std::move(report))
    {
    }

    // Reports what is wrong with scope and conditions.
    void check(Policy const&);

private:
    struct Answer {
        TypePointer type; // nullptr: unknown, after a problem that has been reported
        Capabilities learned;
        bool is_ok = true;
    };

    Answer of(Expression const&, Capabilities const& known);
    // As of(), but a problem is reported unless the type is (in permissive mode's sense) one of those expected; then the type is unknown.
    Answer expect(Expression const&, Capabilities const& known, std::vector<TypePointer> const& expected);
    Answer expect(Expression const&, Capabilities const& known, Type::Kind);

    Answer literal(Expression const&);
    Answer variable(Variable) const;
    Answer conditional(Expression const&, Capabilities const& known);
    Answer all(Expression const&, Capabilities const& known);
    Answer both(Answer left, Expression const& right, Capabilities const& known);
    Answer any(Expression const&, Capabilities const& known);
    Answer either(Answer left, Expression const& right, Capabilities const& known);
    Answer negation(Expression const&, Capabilities const& known);
    Answer equality(Expression const&, Capabilities const& known);
    Answer order(Expression const&, Capabilities const& known);
    Answer arithmetic(Expression const&, Capabilities const& known);
    Answer membership(Expression const& whole, Expression const& left, Expression const& right, Capabilities const& known);
    Answer is_type(Expression const&, Capabilities const& known);
    Answer set_method(Expression const&, Capabilities const& known);
    Answer tag(Expression const&, Capabilities const& known);
    Answer get_attribute(Expression const&, Capabilities const& known);
    Answer has_attribute(Expression const&, Capabilities const& known);
    Answer has_path(Expression const&, Capabilities const& known);
    Answer set(Expression const&, Capabilities const& known);
    Answer record(Expression const&, Capabilities const& known);
    Answer call(Expression const&, Capabilities const& known);
    Answer constructor(Expression const&, Capabilities const& known, TypePointer result);

    Answer scope(ScopeConstraint const&, Variable, Capabilities const& known);
    TypePointer equality_type(Expression const& left, Answer const& left_answer, Expression const& right, Answer const& right_answer) const;
    // In strict mode two types that are compared must have one in common.
    void require_common(Expression const& whole, TypePointer const& left, TypePointer const& right, Answer& answer);
    std::optional<EntityUid> constant_entity(Expression const&) const;
    std::optional<std::vector<EntityUid>> constant_entities(Expression const&) const;
    std::optional<Answer> action_membership(EntityUid const& action, std::vector<EntityUid> const& groups) const;
    [[nodiscard]] bool may_be_in(Type const& left, Type const& right) const;
    [[nodiscard]] std::optional<AttributeType> attribute_type(Type const& object, std::string const& name) const;
    [[nodiscard]] bool may_have_attribute(Type const& object, std::string const& name) const;
    [[nodiscard]] std::vector<TypePointer> tag_types(Type const& entity) const;
    void report_attribute(Expression const&, Type const& object, std::string const& name, bool is_optional);

    Schema const& schema_;
    ValidationMode mode_;
    RequestKind const& kind_;
    Report report_;
};

} // namespace writ::cedar
