// SPDX-License-Identifier: Apache-2.0
//
// A policy as it was written: scope, conditions, annotations, with the place of each part. Immutable once parsed.
// https://docs.cedarpolicy.com/policies/syntax-grammar.html
#pragma once

#include "cedar/policy_set.h"
#include "cedar/value.h"

#include <optional>

namespace writ::cedar {

enum class Effect : std::uint8_t { permit, forbid };
enum class Variable : std::uint8_t { principal, action, resource, context };

enum class Operator : std::uint8_t {
    literal,       // value
    variable,      // variable
    if_then_else,  // children 0 ? 1 : 2
    all,           // && over two or more children
    any,           // || over two or more children
    negation,      // !
    minus,         // unary -
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    plus,
    difference,
    product,
    in,
    contains,
    contains_all,
    contains_any,
    is_empty,
    get_tag,
    has_tag,
    get_attribute, // children[0].names[0]
    has_attribute, // children[0] has names[0].names[1]…
    like,          // pattern
    is,            // children[0] is name(); with a second child: is name() in children[1]
    set,           // [children]
    record,        // {names: children}
    call,          // extension function or method name() of children
};

// Text parted by wildcards: `a*b` is {"a", "b"}, `*` is {"", ""}; a single part stands for itself.
struct Pattern {
    std::vector<std::string> parts;
    [[nodiscard]] bool matches(std::string_view) const;
};

// What an expression is about beside its children. Most are said again and again: equal ones of one text are one.
struct Payload {
    Value value;
    std::vector<std::string> names;
    Pattern pattern;
};

// A cache line: ten thousand policies have some hundred thousand of these, and memory that is touched for the first time costs more than reading does.
struct Expression {
    Operator op = Operator::literal;
    Variable variable = Variable::principal;
    bool is_method = false; // of a call: written `x.f(y)`
    int depth = 1;          // 1 + the deepest child's; at most expression_depth_max
    SourceSpan span;
    std::shared_ptr<Payload const> payload; // nullptr: of operators that have none
    std::vector<Expression> children;

    // Of an operator that has none they are empty.
    [[nodiscard]] Value const& value() const { return said().value; }
    [[nodiscard]] std::vector<std::string> const& names() const { return said().names; }
    [[nodiscard]] Pattern const& pattern() const { return said().pattern; }
    // REQUIRES: `is` or a call.
    [[nodiscard]] std::string const& name() const { return said().names.front(); }

private:
    [[nodiscard]] Payload const& said() const;
};
static_assert(sizeof(Expression) <= 64);

std::shared_ptr<Payload const> payload_of(Value);
std::shared_ptr<Payload const> payload_of(std::vector<std::string> names);
std::shared_ptr<Payload const> payload_of(Pattern);

struct ScopeConstraint {
    enum class Kind : std::uint8_t { any, equal, in, in_any, is, is_in }; // in_any: of actions only
    Kind kind = Kind::any;
    std::vector<EntityUid> entities; // one but for in_any; none where the slot stands
    std::string type;                // of is, is_in
    bool is_slot = false;
    SourceSpan span;
};

struct Condition {
    bool is_unless = false;
    Expression body;
    SourceSpan span;
};

struct Annotation {
    std::string name;
    std::string value;
    SourceSpan span;
};

struct Policy {
    std::string id;
    std::string path;
    std::string linked_from; // of a policy made of a template: the template's id
    Effect effect = Effect::permit;
    std::vector<Annotation> annotations;
    ScopeConstraint principal, action, resource;
    std::vector<Condition> conditions;
    SourceSpan span;

    [[nodiscard]] bool is_template() const { return principal.is_slot || resource.is_slot; }
    [[nodiscard]] std::string const* annotation(std::string_view name) const;
};

// Of functions: `decimal`; of methods: `isIpv4`, `lessThan`. Nothing for a name that is neither.
enum class CallStyle : std::uint8_t { function, method };
std::optional<CallStyle> call_style(std::string_view name);

} // namespace writ::cedar
