// SPDX-License-Identifier: Apache-2.0
//
// Boolean operators, conditions, equality, order and arithmetic; typechecker_entities.cpp has what looks entities and attributes up.
#include "cedar/typechecker.h"

#include "cedar/functions.h"
#include "cedar/printer.h"
#include "cedar/value_json.h"

#include <algorithm>

namespace writ::cedar {

namespace {

using Kind = Type::Kind;

TypePointer truth(bool value) { return make_type(value ? Kind::yes : Kind::no); }
TypePointer boolean() { return make_type(Kind::boolean); }

bool is(TypePointer const& type, Kind kind) { return type != nullptr && type->kind == kind; }

Capabilities together(Capabilities left, Capabilities const& right)
{
    left.insert(right.begin(), right.end());
    return left;
}

Capabilities common(Capabilities const& left, Capabilities const& right)
{
    Capabilities both;
    std::set_intersection(left.begin(), left.end(), right.begin(), right.end(), std::inserter(both, both.end()));
    return both;
}

std::string words(std::vector<TypePointer> const& types)
{
    std::string text;
    for (auto const& type : types)
        text += (text.empty() ? "" : " or ") + (type->kind == Kind::record && type->is_open ? "record" : to_string(*type));
    return text;
}

// Whatever came before may have failed; then so has this, and what it learned does not count.
template <typename Answer>
Answer after(bool is_ok, Answer answer)
{
    if (!is_ok) {
        answer.is_ok = false;
        answer.learned.clear();
    }
    return answer;
}

} // namespace

void Typechecker::check(Policy const& policy)
{
    Capabilities const nothing;
    auto answer = scope(policy.principal, Variable::principal, nothing);
    for (auto const& [constraint, variable] : { std::pair { &policy.action, Variable::action }, std::pair { &policy.resource, Variable::resource } }) {
        if (is(answer.type, Kind::no))
            return;
        auto next = scope(*constraint, variable, nothing);
        if (is(next.type, Kind::no))
            answer = std::move(next);
    }
    Capabilities known;
    for (auto const& condition : policy.conditions) {
        if (is(answer.type, Kind::no))
            return;
        auto next = expect(condition.body, known, Kind::boolean);
        if (condition.is_unless) {
            // What an `unless` learned holds where it is true, which is where the policy does not apply.
            next.learned.clear();
            if (is(next.type, Kind::yes) || is(next.type, Kind::no))
                next.type = truth(is(next.type, Kind::no));
        }
        known.merge(next.learned);
        answer = std::move(next);
    }
}

Typechecker::Answer Typechecker::of(Expression const& expression, Capabilities const& known)
{
    switch (expression.op) {
    case Operator::literal: return literal(expression);
    case Operator::variable: return variable(expression.variable);
    case Operator::if_then_else: return conditional(expression, known);
    case Operator::all: return all(expression, known);
    case Operator::any: return any(expression, known);
    case Operator::negation: return negation(expression, known);
    case Operator::equal:
    case Operator::not_equal: return equality(expression, known);
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: return order(expression, known);
    case Operator::minus:
    case Operator::plus:
    case Operator::difference:
    case Operator::product: return arithmetic(expression, known);
    case Operator::in: return membership(expression, expression.children[0], expression.children[1], known);
    case Operator::is: return is_type(expression, known);
    case Operator::contains:
    case Operator::contains_all:
    case Operator::contains_any:
    case Operator::is_empty: return set_method(expression, known);
    case Operator::get_tag:
    case Operator::has_tag: return tag(expression, known);
    case Operator::get_attribute: return get_attribute(expression, known);
    case Operator::has_attribute: return expression.names().size() == 1 ? has_attribute(expression, known) : has_path(expression, known);
    case Operator::like: return after(expect(expression.children[0], known, Kind::string).is_ok, Answer { boolean(), {} });
    case Operator::set: return set(expression, known);
    case Operator::record: return record(expression, known);
    case Operator::call: return call(expression, known);
    }
    return {};
}

Typechecker::Answer Typechecker::expect(Expression const& expression, Capabilities const& known, std::vector<TypePointer> const& expected)
{
    auto answer = of(expression, known);
    if (answer.type == nullptr)
        return after(false, Answer {});
    if (std::any_of(expected.begin(), expected.end(), [&](TypePointer const& type) { return is_subtype(*answer.type, *type, ValidationMode::permissive); }))
        return answer;
    report_(expression.span, "expected " + words(expected) + ", found " + to_string(*answer.type));
    return after(false, Answer {});
}

Typechecker::Answer Typechecker::expect(Expression const& expression, Capabilities const& known, Type::Kind kind)
{
    // Of these kinds one object is as good as another; a set is one of anything, an entity any.
    return expect(expression, known, { make_type(kind) });
}

Typechecker::Answer Typechecker::literal(Expression const& expression)
{
    auto const& storage = expression.value().storage();
    if (auto const* const value = std::get_if<bool>(&storage))
        return { truth(*value), {} };
    if (std::holds_alternative<std::int64_t>(storage))
        return { make_type(Kind::number), {} };
    if (std::holds_alternative<std::string>(storage))
        return { make_type(Kind::string), {} };
    auto const& uid = *std::get_if<EntityUid>(&storage);
    // An unknown type or action is reported once for the whole policy.
    if (schema_.entity_type(uid.type) == nullptr && schema_.action(uid) == nullptr)
        return { nullptr, {}, false };
    return { entity_type(uid.type), {} };
}

Typechecker::Answer Typechecker::variable(Variable which) const
{
    switch (which) {
    case Variable::principal: return { entity_type(kind_.principal), {} };
    case Variable::action: return { entity_type(kind_.action->uid.type), {} };
    case Variable::resource: return { entity_type(kind_.resource), {} };
    case Variable::context: return { kind_.action->context, {} };
    }
    return {};
}

Typechecker::Answer Typechecker::conditional(Expression const& expression, Capabilities const& known)
{
    auto const test = expect(expression.children[0], known, Kind::boolean);
    auto const with_test = together(known, test.learned);
    if (is(test.type, Kind::yes)) {
        auto chosen = of(expression.children[1], with_test);
        chosen.learned = together(std::move(chosen.learned), test.learned);
        return after(test.is_ok && chosen.is_ok, std::move(chosen));
    }
    if (is(test.type, Kind::no)) {
        auto chosen = of(expression.children[2], known);
        return after(test.is_ok && chosen.is_ok, std::move(chosen));
    }
    auto yes = of(expression.children[1], with_test);
    yes.learned = together(std::move(yes.learned), test.learned);
    auto const no = of(expression.children[2], known);
    bool const is_ok = test.is_ok && yes.is_ok && no.is_ok;
    if (yes.type == nullptr || no.type == nullptr)
        return after(false, Answer {});
    auto bound = least_upper_bound(yes.type, no.type, mode_);
    if (bound == nullptr) {
        report_(expression.span, "the branches must be of one type: found " + to_string(*yes.type) + " and " + to_string(*no.type));
        return after(false, Answer {});
    }
    return after(is_ok, Answer { std::move(bound), common(yes.learned, no.learned) });
}

Typechecker::Answer Typechecker::all(Expression const& expression, Capabilities const& known)
{
    auto answer = expect(expression.children[0], known, Kind::boolean);
    for (std::size_t i = 1; i < expression.children.size() && !is(answer.type, Kind::no); ++i)
        answer = both(std::move(answer), expression.children[i], known);
    if (is(answer.type, Kind::no))
        answer.learned.clear();
    return answer;
}

Typechecker::Answer Typechecker::both(Answer left, Expression const& right_side, Capabilities const& known)
{
    auto right = expect(right_side, together(known, left.learned), Kind::boolean);
    bool const is_ok = left.is_ok && right.is_ok;
    if (left.type == nullptr || right.type == nullptr)
        return after(false, Answer { boolean(), {} });
    if (is(right.type, Kind::no))
        return after(is_ok, Answer { right.type, {} });
    if (is(right.type, Kind::yes))
        return after(is_ok, Answer { left.type, together(std::move(left.learned), right.learned) });
    if (is(left.type, Kind::yes))
        return after(is_ok, Answer { right.type, right.learned });
    return after(is_ok, Answer { boolean(), together(std::move(left.learned), right.learned) });
}

Typechecker::Answer Typechecker::any(Expression const& expression, Capabilities const& known)
{
    auto answer = expect(expression.children[0], known, Kind::boolean);
    for (std::size_t i = 1; i < expression.children.size() && !is(answer.type, Kind::yes); ++i)
        answer = either(std::move(answer), expression.children[i], known);
    return answer;
}

Typechecker::Answer Typechecker::either(Answer left, Expression const& right_side, Capabilities const& known)
{
    auto right = expect(right_side, known, Kind::boolean);
    bool const is_ok = left.is_ok && right.is_ok;
    if (left.type == nullptr || right.type == nullptr)
        return after(false, Answer { boolean(), {} });
    if (is(right.type, Kind::yes))
        return after(is_ok, std::move(right));
    if (is(right.type, Kind::no))
        return after(is_ok, std::move(left));
    if (is(left.type, Kind::no))
        return after(is_ok, std::move(right));
    return after(is_ok, Answer { boolean(), common(left.learned, right.learned) });
}

Typechecker::Answer Typechecker::negation(Expression const& expression, Capabilities const& known)
{
    auto const answer = expect(expression.children[0], known, Kind::boolean);
    if (is(answer.type, Kind::yes) || is(answer.type, Kind::no))
        return after(answer.is_ok, Answer { truth(is(answer.type, Kind::no)), {} });
    return after(answer.is_ok, Answer { boolean(), {} });
}

std::optional<EntityUid> Typechecker::constant_entity(Expression const& expression) const
{
    if (expression.op == Operator::variable && expression.variable == Variable::action)
        return kind_.action->uid;
    auto const* const uid = expression.op == Operator::literal ? std::get_if<EntityUid>(&expression.value().storage()) : nullptr;
    return uid == nullptr ? std::nullopt : std::optional(*uid);
}

TypePointer Typechecker::equality_type(Expression const& left, Answer const& left_answer, Expression const& right, Answer const& right_answer) const
{
    if (left_answer.type != nullptr && right_answer.type != nullptr && are_disjoint(*left_answer.type, *right_answer.type))
        return truth(false);
    auto const constant = [&](Expression const& side) -> std::optional<Value> {
        if (auto const uid = constant_entity(side))
            return Value(*uid);
        return side.op == Operator::literal ? std::optional(side.value()) : std::nullopt;
    };
    auto const left_value = constant(left);
    auto const right_value = constant(right);
    return left_value && right_value ? truth(*left_value == *right_value) : boolean();
}

void Typechecker::require_common(Expression const& whole, TypePointer const& left, TypePointer const& right, Answer& answer)
{
    if (mode_ == ValidationMode::permissive || left == nullptr || right == nullptr || least_upper_bound(left, right, mode_) != nullptr)
        return;
    report_(whole.span, "the types " + to_string(*left) + " and " + to_string(*right) + " are not compatible");
    answer.is_ok = false;
}

Typechecker::Answer Typechecker::equality(Expression const& expression, Capabilities const& known)
{
    auto const left = of(expression.children[0], known);
    auto const right = of(expression.children[1], known);
    Answer answer { equality_type(expression.children[0], left, expression.children[1], right), {}, left.is_ok && right.is_ok };
    if (is(answer.type, Kind::boolean))
        require_common(expression, left.type, right.type, answer);
    else if (expression.op == Operator::not_equal)
        answer.type = truth(is(answer.type, Kind::no));
    return answer;
}

Typechecker::Answer Typechecker::order(Expression const& expression, Capabilities const& known)
{
    auto const is_ordered = [](Type const& type) {
        return type.kind == Kind::number || type.kind == Kind::datetime || type.kind == Kind::duration;
    };
    auto const left = of(expression.children[0], known);
    auto const right = of(expression.children[1], known);
    Answer answer { boolean(), {}, left.is_ok && right.is_ok };
    if (left.type == nullptr || right.type == nullptr)
        return after(false, std::move(answer));
    for (std::size_t i = 0; i < 2; ++i) {
        auto const& type = i == 0 ? left.type : right.type;
        auto const& other = i == 0 ? right.type : left.type;
        if (is_ordered(*type) && (type->kind == other->kind || i == 0 || !is_ordered(*other)))
            continue;
        auto const hint = type->kind == Kind::decimal ? "; decimals are compared with `lessThan`, `greaterThanOrEqual` and the like" : "";
        report_(expression.children[i].span, "expected " + (is_ordered(*other) ? to_string(*other) : "Long, datetime or duration") + ", found " + to_string(*type) + hint);
        answer.is_ok = false;
    }
    return answer;
}

Typechecker::Answer Typechecker::arithmetic(Expression const& expression, Capabilities const& known)
{
    Answer answer { make_type(Kind::number), {} };
    for (auto const& child : expression.children)
        answer.is_ok = expect(child, known, Kind::number).is_ok && answer.is_ok;
    return answer;
}

Typechecker::Answer Typechecker::set_method(Expression const& expression, Capabilities const& known)
{
    auto const object = expect(expression.children[0], known, Kind::set);
    Answer answer { boolean(), {}, object.is_ok };
    if (expression.op == Operator::is_empty)
        return answer;
    bool const is_single = expression.op == Operator::contains;
    auto const argument = is_single ? of(expression.children[1], known) : expect(expression.children[1], known, Kind::set);
    answer.is_ok = answer.is_ok && argument.is_ok;
    require_common(expression, is_single && object.type != nullptr ? object.type->element : object.type, argument.type, answer);
    return answer;
}

Typechecker::Answer Typechecker::set(Expression const& expression, Capabilities const& known)
{
    bool is_ok = true;
    auto bound = make_type(Kind::never);
    std::string found;
    for (auto const& child : expression.children) {
        auto const element = of(child, known);
        is_ok = is_ok && element.is_ok;
        if (element.type != nullptr && found.size() < 200)
            found += (found.empty() ? "" : ", ") + to_string(*element.type);
        // Once there is none, the elements behind are still looked at for problems of their own.
        if (bound != nullptr && element.type != nullptr) {
            bound = least_upper_bound(bound, element.type, mode_);
            if (bound == nullptr && is_ok)
                report_(expression.span, "the elements of a set must be of one type: found " + found);
        } else {
            bound = nullptr;
        }
    }
    if (expression.children.empty() && mode_ == ValidationMode::strict) {
        report_(expression.span, "an empty set has no type: strict validation forbids it");
        return after(false, Answer {});
    }
    return bound == nullptr ? after(false, Answer {}) : after(is_ok, Answer { set_type(std::move(bound)), {} });
}

Typechecker::Answer Typechecker::record(Expression const& expression, Capabilities const& known)
{
    auto type = std::make_shared<Type>();
    type->kind = Kind::record;
    bool is_ok = true;
    bool is_known = true;
    for (std::size_t i = 0; i < expression.children.size(); ++i) {
        auto member = of(expression.children[i], known);
        is_ok = is_ok && member.is_ok;
        is_known = is_known && member.type != nullptr;
        type->attributes.insert_or_assign(expression.names()[i], AttributeType { std::move(member.type), true });
    }
    return is_known ? after(is_ok, Answer { std::move(type), {} }) : after(false, Answer {});
}

Typechecker::Answer Typechecker::call(Expression const& expression, Capabilities const& known)
{
    struct Signature {
        std::string_view name;
        Kind object, argument, result;
    };
    using K = Kind;
    static constexpr std::array<Signature, 22> signatures { { { "ip", K::string, K::never, K::ip_address }, { "decimal", K::string, K::never, K::decimal },
        { "datetime", K::string, K::never, K::datetime }, { "duration", K::string, K::never, K::duration }, { "lessThan", K::decimal, K::decimal, K::boolean },
        { "lessThanOrEqual", K::decimal, K::decimal, K::boolean }, { "greaterThan", K::decimal, K::decimal, K::boolean },
        { "greaterThanOrEqual", K::decimal, K::decimal, K::boolean }, { "isIpv4", K::ip_address, K::never, K::boolean }, { "isIpv6", K::ip_address, K::never, K::boolean },
        { "isLoopback", K::ip_address, K::never, K::boolean }, { "isMulticast", K::ip_address, K::never, K::boolean },
        { "isInRange", K::ip_address, K::ip_address, K::boolean }, { "offset", K::datetime, K::duration, K::datetime },
        { "durationSince", K::datetime, K::datetime, K::duration }, { "toDate", K::datetime, K::never, K::datetime }, { "toTime", K::datetime, K::never, K::duration },
        { "toMilliseconds", K::duration, K::never, K::number }, { "toSeconds", K::duration, K::never, K::number }, { "toMinutes", K::duration, K::never, K::number },
        { "toHours", K::duration, K::never, K::number }, { "toDays", K::duration, K::never, K::number } } };
    auto const* const signature = std::find_if(signatures.begin(), signatures.end(), [&](Signature const& s) { return s.name == expression.name(); });
    if (signature == signatures.end())
        return after(false, Answer {});
    auto const wanted = *argument_count(expression.name());
    bool is_ok = expression.children.size() == wanted;
    if (!is_ok)
        report_(expression.span, "`" + expression.name() + "` takes " + std::to_string(wanted) + " arguments, found " + std::to_string(expression.children.size()));
    if (!expression.is_method)
        is_ok = constructor(expression, known, nullptr).is_ok && is_ok;
    Answer answer { make_type(signature->result), {}, is_ok };
    for (std::size_t i = 0; i < expression.children.size(); ++i) {
        auto const& child = expression.children[i];
        auto const argument = is_ok ? expect(child, known, i == 0 ? signature->object : signature->argument) : of(child, known);
        answer.is_ok = argument.is_ok && answer.is_ok;
    }
    return answer;
}

Typechecker::Answer Typechecker::constructor(Expression const& expression, Capabilities const&, TypePointer result)
{
    Answer answer { std::move(result), {} };
    auto const is_literal = [](Expression const& argument) { return argument.op == Operator::literal; };
    if (mode_ == ValidationMode::strict && !std::all_of(expression.children.begin(), expression.children.end(), is_literal)) {
        report_(expression.span, "`" + expression.name() + "` must be called with a literal, so that its text can be checked");
        answer.is_ok = false;
    }
    if (expression.children.empty() || !is_literal(expression.children[0]))
        return answer;
    auto const* const text = std::get_if<std::string>(&expression.children[0].value().storage());
    auto const value = text != nullptr ? extension_value(expression.name(), *text) : Result<Value>(Value());
    if (value.is_error()) {
        report_(expression.span, value.error().message);
        answer.is_ok = false;
    }
    return answer;
}

} // namespace writ::cedar
