// SPDX-License-Identifier: Apache-2.0
//
// The part of the typechecker that looks entities, attributes, tags and hierarchies up in the schema.
#include "cedar/printer.h"
#include "cedar/text.h"
#include "cedar/typechecker.h"

#include <algorithm>

namespace writ::cedar {

namespace {

using Kind = Type::Kind;

bool is_action_type(std::string_view type) { return type == "Action" || type.ends_with("::Action"); }

} // namespace

Typechecker::Answer Typechecker::scope(ScopeConstraint const& constraint, Variable which, Capabilities const& known)
{
    using Scope = ScopeConstraint::Kind;
    Expression subject { .op = Operator::variable, .variable = which, .span = constraint.span };
    if (constraint.kind == Scope::any)
        return { make_type(Kind::yes), {} };
    // A slot may be filled with any entity; whoever links the template is checked then.
    if (constraint.is_slot && constraint.kind != Scope::is_in)
        return { make_type(Kind::boolean), {} };
    Expression whole { .span = constraint.span };
    whole.children.push_back(std::move(subject));
    if (constraint.kind == Scope::is || constraint.kind == Scope::is_in) {
        whole.op = Operator::is;
        whole.payload = payload_of(std::vector { constraint.type });
    }
    if (constraint.kind == Scope::in_any) {
        Expression set { .op = Operator::set, .span = constraint.span };
        for (auto const& uid : constraint.entities)
            set.children.push_back({ .op = Operator::literal, .span = constraint.span, .payload = payload_of(uid), .children = {} });
        whole.children.push_back(std::move(set));
    } else if (!constraint.entities.empty()) {
        whole.children.push_back({ .op = Operator::literal, .span = constraint.span, .payload = payload_of(constraint.entities.front()), .children = {} });
    }
    if (constraint.kind == Scope::equal)
        whole.op = Operator::equal;
    if (constraint.kind == Scope::in || constraint.kind == Scope::in_any)
        whole.op = Operator::in;
    return expect(whole, known, Kind::boolean);
}

std::optional<std::vector<EntityUid>> Typechecker::constant_entities(Expression const& expression) const
{
    if (auto const uid = constant_entity(expression))
        return std::vector<EntityUid> { *uid };
    if (expression.op != Operator::set)
        return std::nullopt;
    std::vector<EntityUid> uids;
    for (auto const& child : expression.children) {
        auto const uid = constant_entity(child);
        if (!uid)
            return std::nullopt;
        uids.push_back(*uid);
    }
    return uids;
}

// An action's groups are known from the schema, so that this is decided here. Nothing if a group is unknown, which is reported elsewhere.
std::optional<Typechecker::Answer> Typechecker::action_membership(EntityUid const& action, std::vector<EntityUid> const& groups) const
{
    auto const* const known = schema_.action(action);
    bool is_in = false;
    for (auto const& group : groups) {
        if (!is_action_type(group.type))
            continue;
        if (schema_.action(group) == nullptr)
            return std::nullopt;
        is_in = is_in || group == action || (known != nullptr && known->ancestors.contains(group));
    }
    return Answer { make_type(is_in ? Kind::yes : Kind::no), {} };
}

bool Typechecker::may_be_in(Type const& left, Type const& right) const
{
    auto const may = [&](std::string const& entity, std::string const& group) {
        if (entity == group)
            return true;
        auto const* const type = schema_.entity_type(entity);
        if (type != nullptr)
            return type->ancestors.contains(group);
        return std::any_of(schema_.actions().begin(), schema_.actions().end(), [&](auto const& entry) {
            auto const& ancestors = entry.second.ancestors;
            return entry.first.type == entity && std::any_of(ancestors.begin(), ancestors.end(), [&](EntityUid const& uid) { return uid.type == group; });
        });
    };
    if (left.entities.empty() || right.entities.empty())
        return true;
    return std::any_of(left.entities.begin(), left.entities.end(), [&](auto const& entity) {
        return std::any_of(right.entities.begin(), right.entities.end(), [&](auto const& group) { return may(entity, group); });
    });
}

Typechecker::Answer Typechecker::membership(Expression const&, Expression const& left, Expression const& right, Capabilities const& known)
{
    auto const entity = expect(left, known, { any_entity_type() });
    auto const groups = expect(right, known, { any_entity_type(), set_type(any_entity_type()) });
    Answer const unknown { make_type(Kind::boolean), {} };
    if (!entity.is_ok || !groups.is_ok)
        return { unknown.type, {}, false };
    auto const constant = constant_entity(left);
    auto const constants = constant_entities(right);
    if (constant && constants && is_action_type(constant->type)) {
        auto answer = action_membership(*constant, *constants);
        return answer ? *answer : Answer { unknown.type, {}, false };
    }
    auto const& group = groups.type->kind == Kind::set ? groups.type->element : groups.type;
    if (group != nullptr && group->kind == Kind::entity && entity.type->kind == Kind::entity && !may_be_in(*entity.type, *group))
        return { make_type(Kind::no), {} };
    return unknown;
}

Typechecker::Answer Typechecker::is_type(Expression const& expression, Capabilities const& known)
{
    auto const object = expect(expression.children[0], known, { any_entity_type() });
    Answer answer { make_type(Kind::boolean), {}, object.is_ok };
    if (object.type != nullptr && object.type->kind == Kind::entity && !object.type->entities.empty()) {
        auto const& types = object.type->entities;
        if (!std::binary_search(types.begin(), types.end(), expression.name()))
            answer.type = make_type(Kind::no);
        else if (types.size() == 1)
            answer.type = make_type(Kind::yes);
    }
    if (expression.children.size() == 1 || answer.type->kind == Kind::no)
        return answer;
    // `x is T in y` is `x is T && x in y`.
    auto const group = membership(expression, expression.children[0], expression.children[1], known);
    bool const is_ok = answer.is_ok && group.is_ok;
    if (group.type->kind == Kind::no)
        return { group.type, {}, is_ok };
    return { group.type->kind == Kind::yes ? answer.type : answer.type->kind == Kind::yes ? group.type : make_type(Kind::boolean), {}, is_ok };
}

std::vector<TypePointer> Typechecker::tag_types(Type const& entity) const
{
    std::vector<TypePointer> types;
    auto const add = [&](EntityTypeSchema const* type) {
        if (type != nullptr && type->tags != nullptr)
            types.push_back(type->tags);
    };
    for (auto const& name : entity.entities)
        add(schema_.entity_type(name));
    if (entity.entities.empty())
        for (auto const& [name, type] : schema_.entity_types())
            add(&type);
    return types;
}

Typechecker::Answer Typechecker::tag(Expression const& expression, Capabilities const& known)
{
    auto const object = expect(expression.children[0], known, { any_entity_type() });
    auto const name = expect(expression.children[1], known, Kind::string);
    bool const is_ok = object.is_ok && name.is_ok;
    if (object.type == nullptr)
        return { nullptr, {}, false };
    Capability const capability { to_string(expression.children[0]), to_string(expression.children[1]), true };
    auto const types = tag_types(*object.type);
    bool const is_known = known.contains(capability);
    if (expression.op == Operator::has_tag) {
        auto const kind = types.empty() ? Kind::no : is_known ? Kind::yes : Kind::boolean;
        return { make_type(kind), is_ok ? Capabilities { capability } : Capabilities {}, is_ok };
    }
    auto const fails = [&](std::string message) {
        report_(expression.span, std::move(message));
        return Answer { nullptr, {}, false };
    };
    if (!is_known)
        return fails("the tag " + capability.name + " may be absent: ask `" + capability.expression + ".hasTag(" + capability.name + ")` first");
    if (types.empty())
        return fails("a " + to_string(*object.type) + " has no tags");
    auto bound = make_type(Kind::never);
    for (auto const& type : types)
        if (bound != nullptr)
            bound = least_upper_bound(bound, type, mode_);
    if (bound == nullptr)
        return fails("tags of " + to_string(*object.type) + " have different types");
    return { std::move(bound), {}, is_ok };
}

std::optional<AttributeType> Typechecker::attribute_type(Type const& object, std::string const& name) const
{
    if (object.kind == Kind::record) {
        auto const found = object.attributes.find(name);
        return found == object.attributes.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<AttributeType> common;
    for (auto const& entity : object.entities) {
        auto const* const type = schema_.entity_type(entity);
        auto const found = type != nullptr ? type->attributes.find(name) : Attributes::const_iterator {};
        if (type == nullptr || found == type->attributes.end())
            return std::nullopt;
        if (!common) {
            common = found->second;
            continue;
        }
        common->type = least_upper_bound(common->type, found->second.type, ValidationMode::permissive);
        common->is_required = common->is_required && found->second.is_required;
        if (common->type == nullptr)
            return std::nullopt;
    }
    return common;
}

bool Typechecker::may_have_attribute(Type const& object, std::string const& name) const
{
    if (object.kind == Kind::record)
        return object.is_open || object.attributes.contains(name);
    return object.entities.empty() || std::any_of(object.entities.begin(), object.entities.end(), [&](auto const& entity) {
        auto const* const type = schema_.entity_type(entity);
        return type != nullptr && type->attributes.contains(name);
    });
}

void Typechecker::report_attribute(Expression const& expression, Type const& object, std::string const& name, bool is_optional)
{
    auto const owner = object.kind == Kind::entity ? "a " + to_string(object) : "`" + to_string(expression.children[0]) + "`";
    if (is_optional) {
        auto const ask = to_string(expression.children[0]) + " has " + (is_identifier(name) ? name : quoted(name));
        report_(expression.span, "the attribute `" + name + "` of " + owner + " may be absent: ask `" + ask + "` first");
        return;
    }
    std::vector<std::string> known;
    for (auto const& [attribute, type] : object.attributes)
        known.push_back(attribute);
    for (auto const& entity : object.entities)
        if (auto const* const type = schema_.entity_type(entity))
            for (auto const& [attribute, unused] : type->attributes)
                known.push_back(attribute);
    report_(expression.span, owner + " has no attribute `" + name + "`" + suggestion(name, known));
}

Typechecker::Answer Typechecker::get_attribute(Expression const& expression, Capabilities const& known)
{
    auto const object = expect(expression.children[0], known, { any_entity_type(), open_record_type() });
    if (object.type == nullptr)
        return { nullptr, {}, false };
    auto const& name = expression.names().front();
    auto const attribute = attribute_type(*object.type, name);
    if (!attribute) {
        report_attribute(expression, *object.type, name, false);
        return { nullptr, {}, false };
    }
    bool const is_safe = attribute->is_required || known.contains({ to_string(expression.children[0]), name });
    if (!is_safe)
        report_attribute(expression, *object.type, name, true);
    return { attribute->type, {}, object.is_ok && is_safe };
}

Typechecker::Answer Typechecker::has_attribute(Expression const& expression, Capabilities const& known)
{
    auto const object = expect(expression.children[0], known, { any_entity_type(), open_record_type() });
    if (object.type == nullptr)
        return { make_type(Kind::boolean), {}, false };
    auto const& name = expression.names().front();
    auto const attribute = attribute_type(*object.type, name);
    if (!attribute)
        return { make_type(may_have_attribute(*object.type, name) ? Kind::boolean : Kind::no), {}, object.is_ok };
    Capability const capability { to_string(expression.children[0]), name };
    // An entity may be missing altogether, so that a required attribute of it may be too.
    bool const is_there = known.contains(capability) || (attribute->is_required && object.type->kind == Kind::record);
    return { make_type(is_there ? Kind::yes : Kind::boolean), object.is_ok ? Capabilities { capability } : Capabilities {}, object.is_ok };
}

// `x has a.b` is `x has a && x.a has b`.
Typechecker::Answer Typechecker::has_path(Expression const& expression, Capabilities const& known)
{
    Expression whole { .op = Operator::all, .span = expression.span };
    auto object = expression.children[0];
    for (auto const& name : expression.names()) {
        Expression step { .op = Operator::has_attribute, .span = expression.span };
        step.payload = payload_of(std::vector { name });
        step.children.push_back(object);
        whole.children.push_back(step);
        step.op = Operator::get_attribute;
        object = std::move(step);
    }
    return all(whole, known);
}

} // namespace writ::cedar
