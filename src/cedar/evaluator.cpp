// SPDX-License-Identifier: Apache-2.0
#include "cedar/evaluator.h"

#include "cedar/text.h"
#include "cedar/work.h"

#include <algorithm>

namespace writ::cedar {

namespace {

template <typename T>
Result<T> typed(Value value, std::string_view wanted)
{
    if (auto const* found = std::get_if<T>(&value.storage()))
        return *found;
    return wrong_type(wanted, value);
}

using SetPointer = std::shared_ptr<Set const>;

Result<SetPointer> set_of(Value value) { return typed<SetPointer>(std::move(value), "set"); }

bool contains(Set const& set, Value const& element) { return std::binary_search(set.begin(), set.end(), element); }

template <typename T>
bool ordered(Operator op, T const& left, T const& right)
{
    switch (op) {
    case Operator::less: return left < right;
    case Operator::less_equal: return left <= right;
    case Operator::greater: return left > right;
    default: return left >= right;
    }
}

Error no_attribute(Value const& object, std::string const& name)
{
    auto const* const uid = std::get_if<EntityUid>(&object.storage());
    return invalid_argument((uid != nullptr ? "`" + to_string(*uid) + "`" : "record") + " has no attribute `" + name + "`");
}

} // namespace

Error wrong_type(std::string_view wanted, Value const& found)
{
    return invalid_argument("expected a " + std::string(wanted) + ", found a " + std::string(type_name(found)));
}

Result<Value> add(std::int64_t left, std::int64_t right)
{
    std::int64_t sum = 0;
    if (__builtin_add_overflow(left, right, &sum))
        return invalid_argument("integer overflow in `" + std::to_string(left) + " + " + std::to_string(right) + "`");
    return Value(sum);
}

Result<Value> subtract(std::int64_t left, std::int64_t right)
{
    std::int64_t difference = 0;
    if (__builtin_sub_overflow(left, right, &difference))
        return invalid_argument("integer overflow in `" + std::to_string(left) + " - " + std::to_string(right) + "`");
    return Value(difference);
}

Result<Value> multiply(std::int64_t left, std::int64_t right)
{
    std::int64_t product = 0;
    if (__builtin_mul_overflow(left, right, &product))
        return invalid_argument("integer overflow in `" + std::to_string(left) + " * " + std::to_string(right) + "`");
    return Value(product);
}

Result<Value> negate(std::int64_t number)
{
    std::int64_t negated = 0;
    if (__builtin_sub_overflow(std::int64_t { 0 }, number, &negated))
        return invalid_argument("integer overflow in `-(" + std::to_string(number) + ")`");
    return Value(negated);
}

Result<Value> Evaluator::evaluate(Expression const& expression) const
{
    work_ = 0;
    return value_of(expression);
}

Result<bool> Evaluator::holds(Expression const& expression) const
{
    work_ = 0;
    return truth_of(expression);
}

Result<> Evaluator::spend(std::uint64_t steps) const
{
    work_ += steps;
    if (work_ > evaluation_work_max)
        return invalid_argument("evaluation takes more than " + std::to_string(evaluation_work_max) + " steps");
    return {};
}

Result<bool> Evaluator::truth_of(Expression const& expression) const { return typed<bool>(TRY(value_of(expression)), "bool"); }

Result<Value> Evaluator::value_of(Expression const& expression) const
{
    switch (expression.op) {
    case Operator::literal: return expression.value();
    case Operator::variable: return variable(expression.variable);
    case Operator::if_then_else: return value_of(expression.children[TRY(truth_of(expression.children[0])) ? 1 : 2]);
    case Operator::all: return every(expression, false);
    case Operator::any: return every(expression, true);
    case Operator::negation: return Value(!TRY(truth_of(expression.children[0])));
    case Operator::equal:
    case Operator::not_equal: return equality(expression);
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal: return compare(expression);
    case Operator::minus: return negate(TRY(typed<std::int64_t>(TRY(value_of(expression.children[0])), "long")));
    case Operator::plus:
    case Operator::difference:
    case Operator::product: return arithmetic(expression);
    case Operator::in: return membership(expression);
    case Operator::contains:
    case Operator::contains_all:
    case Operator::contains_any:
    case Operator::is_empty: return set_method(expression);
    case Operator::get_tag:
    case Operator::has_tag: return tag(expression);
    case Operator::get_attribute: return attribute(expression);
    case Operator::has_attribute: return has_attribute(expression);
    case Operator::like: return like(expression);
    case Operator::is: return is_type(expression);
    case Operator::set: return set(expression);
    case Operator::record: return record(expression);
    case Operator::call: return call(expression);
    }
    ASSERT(false);
    return Value();
}

Value Evaluator::variable(Variable which) const
{
    switch (which) {
    case Variable::principal: return request_.principal;
    case Variable::action: return request_.action;
    case Variable::resource: return request_.resource;
    case Variable::context: return context_;
    }
    ASSERT(false);
    return {};
}

Result<Value> Evaluator::every(Expression const& expression, bool stop_at) const
{
    for (auto const& child : expression.children)
        if (TRY(truth_of(child)) == stop_at)
            return Value(stop_at);
    return Value(!stop_at);
}

Result<Value> Evaluator::equality(Expression const& expression) const
{
    auto const left = TRY(value_of(expression.children[0]));
    auto const right = TRY(value_of(expression.children[1]));
    TRY(spend(work_of(left)));
    return Value((left == right) == (expression.op == Operator::equal));
}

Result<Value> Evaluator::compare(Expression const& expression) const
{
    auto const left = TRY(value_of(expression.children[0]));
    auto const right = TRY(value_of(expression.children[1]));
    auto const as = [&]<typename T>(T const* value) -> Result<Value> {
        auto const* const other = std::get_if<T>(&right.storage());
        if (other == nullptr)
            return wrong_type(type_name(left), right);
        return Value(ordered(expression.op, *value, *other));
    };
    if (auto const* number = std::get_if<std::int64_t>(&left.storage()))
        return as(number);
    if (auto const* time = std::get_if<Datetime>(&left.storage()))
        return as(time);
    if (auto const* length = std::get_if<DurationValue>(&left.storage()))
        return as(length);
    return wrong_type("long, datetime or duration", left);
}

Result<Value> Evaluator::arithmetic(Expression const& expression) const
{
    auto const left = TRY(typed<std::int64_t>(TRY(value_of(expression.children[0])), "long"));
    auto const right = TRY(typed<std::int64_t>(TRY(value_of(expression.children[1])), "long"));
    if (expression.op == Operator::plus)
        return add(left, right);
    return expression.op == Operator::difference ? subtract(left, right) : multiply(left, right);
}

Result<Value> Evaluator::in(EntityUid const& entity, Value const& ancestors) const
{
    if (auto const* ancestor = std::get_if<EntityUid>(&ancestors.storage()))
        return Value(entities_.is_in(entity, *ancestor));
    auto const* const set = std::get_if<SetPointer>(&ancestors.storage());
    if (set == nullptr)
        return wrong_type("entity or set of entities", ancestors);
    TRY(spend(work_of(ancestors)));
    // All elements must be entities, those behind the first that contains it too.
    for (auto const& element : **set)
        if (!std::holds_alternative<EntityUid>(element.storage()))
            return wrong_type("entity", element);
    return Value(std::any_of((*set)->begin(), (*set)->end(), [&](Value const& element) { return entities_.is_in(entity, std::get<EntityUid>(element.storage())); }));
}

Result<Value> Evaluator::membership(Expression const& expression) const
{
    auto const entity = TRY(typed<EntityUid>(TRY(value_of(expression.children[0])), "entity"));
    return in(entity, TRY(value_of(expression.children[1])));
}

Result<Value> Evaluator::is_type(Expression const& expression) const
{
    auto const entity = TRY(typed<EntityUid>(TRY(value_of(expression.children[0])), "entity"));
    if (entity.type != expression.name() || expression.children.size() == 1)
        return Value(entity.type == expression.name());
    return in(entity, TRY(value_of(expression.children[1])));
}

Result<Value> Evaluator::set_method(Expression const& expression) const
{
    auto const set = TRY(set_of(TRY(value_of(expression.children[0]))));
    if (expression.op == Operator::is_empty)
        return Value(set->empty());
    auto const argument = TRY(value_of(expression.children[1]));
    TRY(spend(work_of(argument)));
    if (expression.op == Operator::contains)
        return Value(contains(*set, argument));
    auto const other = TRY(set_of(argument));
    auto const is_inside = [&](Value const& element) { return contains(*set, element); };
    return Value(expression.op == Operator::contains_all ? std::all_of(other->begin(), other->end(), is_inside) : std::any_of(other->begin(), other->end(), is_inside));
}

Result<Value> Evaluator::tag(Expression const& expression) const
{
    auto const uid = TRY(typed<EntityUid>(TRY(value_of(expression.children[0])), "entity"));
    auto const name = TRY(typed<std::string>(TRY(value_of(expression.children[1])), "string"));
    auto const* const entity = entities_.find(uid);
    bool const has = entity != nullptr && entity->tags.contains(name);
    if (expression.op == Operator::has_tag)
        return Value(has);
    if (entity == nullptr)
        return invalid_argument("there is no entity `" + to_string(uid) + "`");
    if (!has)
        return invalid_argument("`" + to_string(uid) + "` has no tag " + quoted(name));
    return entity->tags.find(name)->second;
}

Result<Value> Evaluator::attribute(Expression const& expression) const
{
    auto const& name = expression.names().front();
    auto const object = TRY(value_of(expression.children[0]));
    Record const* members = nullptr;
    if (auto const* const uid = std::get_if<EntityUid>(&object.storage())) {
        auto const* const entity = entities_.find(*uid);
        if (entity == nullptr)
            return invalid_argument("there is no entity `" + to_string(*uid) + "`");
        members = &entity->attributes;
    } else if (auto const* const record = std::get_if<std::shared_ptr<Record const>>(&object.storage())) {
        members = record->get();
    } else {
        return wrong_type("entity or record", object);
    }
    auto const found = members->find(name);
    if (found == members->end()) {
        bool const of_context = expression.children[0].op == Operator::variable && expression.children[0].variable == Variable::context;
        return of_context ? invalid_argument("context has no attribute `" + name + "`") : no_attribute(object, name);
    }
    return found->second;
}

Result<Value> Evaluator::has_attribute(Expression const& expression) const
{
    auto object = TRY(value_of(expression.children[0]));
    for (auto const& name : expression.names()) {
        Record const* members = nullptr;
        if (auto const* const uid = std::get_if<EntityUid>(&object.storage())) {
            auto const* const entity = entities_.find(*uid);
            if (entity == nullptr)
                return Value(false);
            members = &entity->attributes;
        } else if (auto const* const record = std::get_if<std::shared_ptr<Record const>>(&object.storage())) {
            members = record->get();
        } else {
            return wrong_type("entity or record", object);
        }
        auto const found = members->find(name);
        if (found == members->end())
            return Value(false);
        // The copy keeps alive what a record within holds.
        auto next = found->second;
        object = std::move(next);
    }
    return Value(true);
}

Result<Value> Evaluator::like(Expression const& expression) const
{
    auto const text = TRY(typed<std::string>(TRY(value_of(expression.children[0])), "string"));
    TRY(spend(text.size() / bytes_per_step * expression.pattern().parts.size()));
    return Value(expression.pattern().matches(text));
}

Result<Value> Evaluator::set(Expression const& expression) const
{
    std::vector<Value> elements;
    elements.reserve(expression.children.size());
    bool const is_free = is_folded(expression);
    for (auto const& child : expression.children) {
        elements.push_back(TRY(value_of(child)));
        TRY(spend(is_free ? 0 : work_of(elements.back())));
    }
    return Value::set(std::move(elements));
}

Result<Value> Evaluator::record(Expression const& expression) const
{
    Record members;
    for (std::size_t i = 0; i < expression.children.size(); ++i)
        members.insert_or_assign(expression.names()[i], TRY(value_of(expression.children[i])));
    return Value::record(std::move(members));
}

Result<Value> Evaluator::call(Expression const& expression) const
{
    std::vector<Value> arguments;
    arguments.reserve(expression.children.size());
    for (auto const& child : expression.children)
        arguments.push_back(TRY(value_of(child)));
    return call_function(expression.name(), arguments);
}

bool Evaluator::matches(ScopeConstraint const& scope, EntityUid const& entity) const
{
    auto const is_inside = [&](EntityUid const& ancestor) { return entities_.is_in(entity, ancestor); };
    switch (scope.kind) {
    case ScopeConstraint::Kind::any: return true;
    case ScopeConstraint::Kind::equal: return !scope.is_slot && entity == scope.entities.front();
    case ScopeConstraint::Kind::in: return !scope.is_slot && is_inside(scope.entities.front());
    case ScopeConstraint::Kind::in_any: return std::any_of(scope.entities.begin(), scope.entities.end(), is_inside);
    case ScopeConstraint::Kind::is: return entity.type == scope.type;
    case ScopeConstraint::Kind::is_in: return !scope.is_slot && entity.type == scope.type && is_inside(scope.entities.front());
    }
    ASSERT(false);
    return false;
}

Result<bool> Evaluator::satisfied(Policy const& policy) const
{
    work_ = 0;
    if (!matches(policy.principal, request_.principal) || !matches(policy.action, request_.action) || !matches(policy.resource, request_.resource))
        return false;
    for (auto const& condition : policy.conditions)
        if (TRY(truth_of(condition.body)) == condition.is_unless)
            return false;
    return true;
}

} // namespace writ::cedar
