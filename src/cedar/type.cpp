// SPDX-License-Identifier: Apache-2.0
#include "cedar/type.h"

#include "cedar/text.h"

#include <algorithm>

namespace writ::cedar {

namespace {

using Kind = Type::Kind;

bool same_names(Attributes const& left, Attributes const& right)
{
    return left.size() == right.size()
        && std::equal(left.begin(), left.end(), right.begin(), [](auto const& a, auto const& b) { return a.first == b.first; });
}

bool is_attribute_subtype(AttributeType const& left, AttributeType const& of, ValidationMode mode)
{
    bool const agrees = mode == ValidationMode::strict ? left.is_required == of.is_required : left.is_required || !of.is_required;
    return agrees && is_subtype(*left.type, *of.type, mode);
}

bool is_record_subtype(Type const& left, Type const& of, ValidationMode mode)
{
    if (left.is_open && !of.is_open)
        return false;
    // Only an open record leaves room for attributes it does not name, and only in permissive mode.
    if (!(of.is_open && mode == ValidationMode::permissive) && !same_names(left.attributes, of.attributes))
        return false;
    return std::all_of(of.attributes.begin(), of.attributes.end(), [&](auto const& wanted) {
        auto const found = left.attributes.find(wanted.first);
        return found != left.attributes.end() && is_attribute_subtype(found->second, wanted.second, mode);
    });
}

bool is_entity_subtype(Type const& left, Type const& of, ValidationMode mode)
{
    // No names: any entity.
    if (left.entities == of.entities)
        return true;
    if (mode == ValidationMode::strict || left.entities.empty())
        return false;
    return of.entities.empty() || std::includes(of.entities.begin(), of.entities.end(), left.entities.begin(), left.entities.end());
}

TypePointer entity_bound(Type const& left, Type const& right, ValidationMode mode)
{
    if (mode == ValidationMode::strict && left.entities != right.entities)
        return nullptr;
    auto bound = std::make_shared<Type>();
    bound->kind = Kind::entity;
    if (!left.entities.empty() && !right.entities.empty())
        std::set_union(left.entities.begin(), left.entities.end(), right.entities.begin(), right.entities.end(), std::back_inserter(bound->entities));
    return bound;
}

TypePointer record_bound(Type const& left, Type const& right, ValidationMode mode)
{
    bool const is_strict = mode == ValidationMode::strict;
    if (is_strict && !same_names(left.attributes, right.attributes))
        return nullptr;
    auto bound = std::make_shared<Type>();
    bound->kind = Kind::record;
    for (auto const& [name, attribute] : left.attributes) {
        auto const other = right.attributes.find(name);
        auto type = other == right.attributes.end() ? nullptr : least_upper_bound(attribute.type, other->second.type, mode);
        bool const agrees = type != nullptr && (!is_strict || attribute.is_required == other->second.is_required);
        if (!agrees && is_strict)
            return nullptr;
        if (agrees)
            bound->attributes.emplace(name, AttributeType { std::move(type), attribute.is_required && other->second.is_required });
    }
    // What one has and the other has not may be there or not.
    bound->is_open = left.is_open || right.is_open || bound->attributes.size() != left.attributes.size() || bound->attributes.size() != right.attributes.size();
    return bound;
}

std::string_view simple_name(Kind kind)
{
    switch (kind) {
    case Kind::never: return "nothing";
    case Kind::yes: return "true";
    case Kind::no: return "false";
    case Kind::boolean: return "Bool";
    case Kind::number: return "Long";
    case Kind::string: return "String";
    case Kind::decimal: return "decimal";
    case Kind::datetime: return "datetime";
    case Kind::duration: return "duration";
    case Kind::ip_address: return "ipaddr";
    default: return "";
    }
}

std::string record_name(Type const& type)
{
    std::string text = "{";
    for (auto const& [name, attribute] : type.attributes) {
        text += (text.size() > 1 ? ", " : "") + (is_identifier(name) ? name : quoted(name)) + (attribute.is_required ? ": " : "?: ");
        text += to_string(*attribute.type);
    }
    return text + (type.is_open ? text.size() > 1 ? ", …}" : "…}" : "}");
}

bool record_has_type(Record const& record, Type const& type)
{
    for (auto const& [name, value] : record) {
        auto const attribute = type.attributes.find(name);
        if (attribute == type.attributes.end() ? !type.is_open : !has_type(value, *attribute->second.type))
            return false;
    }
    return std::all_of(type.attributes.begin(), type.attributes.end(), [&](auto const& wanted) { return !wanted.second.is_required || record.contains(wanted.first); });
}

} // namespace

TypePointer make_type(Type::Kind kind)
{
    auto type = std::make_shared<Type>();
    type->kind = kind;
    return type;
}

TypePointer set_type(TypePointer element)
{
    auto type = std::make_shared<Type>();
    type->kind = Kind::set;
    type->element = std::move(element);
    return type;
}

TypePointer entity_type(std::string name)
{
    auto type = std::make_shared<Type>();
    type->kind = Kind::entity;
    type->entities.push_back(std::move(name));
    return type;
}

TypePointer any_entity_type() { return make_type(Kind::entity); }

TypePointer open_record_type()
{
    auto type = std::make_shared<Type>();
    type->kind = Kind::record;
    type->is_open = true;
    return type;
}

bool is_bool(Type const& type) { return type.kind == Kind::boolean || type.kind == Kind::yes || type.kind == Kind::no; }

bool operator==(Type const& left, Type const& right)
{
    return &left == &right || (is_subtype(left, right, ValidationMode::strict) && is_subtype(right, left, ValidationMode::strict));
}

bool is_subtype(Type const& left, Type const& of, ValidationMode mode)
{
    if (&left == &of || left.kind == Kind::never)
        return true;
    if (of.kind == Kind::boolean && is_bool(left))
        return true;
    if (left.kind != of.kind)
        return false;
    switch (left.kind) {
    case Kind::set: return of.element == nullptr || (left.element != nullptr && is_subtype(*left.element, *of.element, mode));
    case Kind::record: return is_record_subtype(left, of, mode);
    case Kind::entity: return is_entity_subtype(left, of, mode);
    default: return true;
    }
}

TypePointer least_upper_bound(TypePointer const& left, TypePointer const& right, ValidationMode mode)
{
    if (is_subtype(*left, *right, mode))
        return right;
    if (is_subtype(*right, *left, mode))
        return left;
    if (is_bool(*left) && is_bool(*right))
        return make_type(Kind::boolean);
    if (left->kind != right->kind)
        return nullptr;
    switch (left->kind) {
    case Kind::entity: return entity_bound(*left, *right, mode);
    case Kind::record: return record_bound(*left, *right, mode);
    case Kind::set: {
        auto element = left->element != nullptr && right->element != nullptr ? least_upper_bound(left->element, right->element, mode) : nullptr;
        return element == nullptr ? nullptr : set_type(std::move(element));
    }
    default: return nullptr;
    }
}

bool are_disjoint(Type const& left, Type const& right)
{
    // Of other types too little is gained: two sets of different types may both be empty.
    if (left.kind != Kind::entity || right.kind != Kind::entity || left.entities.empty() || right.entities.empty())
        return false;
    return std::none_of(left.entities.begin(), left.entities.end(), [&](auto const& name) { return std::binary_search(right.entities.begin(), right.entities.end(), name); });
}

std::string to_string(Type const& type)
{
    switch (type.kind) {
    case Kind::set: return "Set<" + (type.element == nullptr ? "…" : to_string(*type.element)) + ">";
    case Kind::record: return record_name(type);
    case Kind::entity: {
        std::string text;
        for (auto const& name : type.entities)
            text += (text.empty() ? "" : " or ") + name;
        return type.entities.empty() ? "entity" : text;
    }
    default: return std::string(simple_name(type.kind));
    }
}

bool has_type(Value const& value, Type const& type)
{
    auto const& storage = value.storage();
    switch (type.kind) {
    case Kind::never: return false;
    case Kind::yes: return value == Value(true);
    case Kind::no: return value == Value(false);
    case Kind::boolean: return std::holds_alternative<bool>(storage);
    case Kind::number: return std::holds_alternative<std::int64_t>(storage);
    case Kind::string: return std::holds_alternative<std::string>(storage);
    case Kind::decimal: return std::holds_alternative<Decimal>(storage);
    case Kind::datetime: return std::holds_alternative<Datetime>(storage);
    case Kind::duration: return std::holds_alternative<DurationValue>(storage);
    case Kind::ip_address: return std::holds_alternative<IpAddress>(storage);
    case Kind::entity: {
        auto const* const uid = std::get_if<EntityUid>(&storage);
        return uid != nullptr && (type.entities.empty() || std::binary_search(type.entities.begin(), type.entities.end(), uid->type));
    }
    case Kind::set: {
        auto const* const set = std::get_if<std::shared_ptr<Set const>>(&storage);
        return set != nullptr && (type.element == nullptr || std::all_of((*set)->begin(), (*set)->end(), [&](Value const& v) { return has_type(v, *type.element); }));
    }
    case Kind::record: {
        auto const* const record = std::get_if<std::shared_ptr<Record const>>(&storage);
        return record != nullptr && record_has_type(**record, type);
    }
    }
    return false;
}

} // namespace writ::cedar
