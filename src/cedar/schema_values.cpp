// SPDX-License-Identifier: Apache-2.0
//
// Entities and contexts in JSON, read with a schema beside them.
#include "cedar/schema.h"
#include "cedar/value_json.h"

namespace writ::cedar {

namespace {

std::string_view constructor(Type::Kind kind)
{
    switch (kind) {
    case Type::Kind::decimal: return "decimal";
    case Type::Kind::datetime: return "datetime";
    case Type::Kind::duration: return "duration";
    case Type::Kind::ip_address: return "ip";
    default: return "";
    }
}

Result<Value> parse_typed(JsonValue const& json, Type const* type);

Result<Record> parse_typed_record(JsonObject const& object, Attributes const* attributes)
{
    Record record;
    for (auto const& member : object) {
        std::string const name(member.key());
        auto const known = attributes == nullptr ? Attributes::const_iterator {} : attributes->find(name);
        bool const is_known = attributes != nullptr && known != attributes->end();
        record.insert_or_assign(name, TRY(parse_typed(member.value(), is_known ? known->second.type.get() : nullptr).in("`" + name + "`")));
    }
    return record;
}

// {fn, arg}, or the argument alone.
Result<Value> parse_extension(JsonValue const& json, std::string_view function)
{
    if (json.is_string())
        return extension_value(function, std::string_view(json.as_string()));
    if (json.is_object() && json.as_object().contains("fn"))
        return parse_extension_json(json);
    return parse_value(json);
}

Result<Value> parse_typed(JsonValue const& json, Type const* type)
{
    if (type == nullptr)
        return parse_value(json);
    if (auto const function = constructor(type->kind); !function.empty())
        return parse_extension(json, function);
    if (type->kind == Type::Kind::entity && json.is_object())
        return Value(TRY(parse_uid_json(json)));
    if (type->kind == Type::Kind::set && json.is_array()) {
        std::vector<Value> elements;
        for (auto const& element : json.as_array())
            elements.push_back(TRY(parse_typed(element, type->element.get())));
        return Value::set(std::move(elements));
    }
    if (type->kind == Type::Kind::record && json.is_object())
        return Value::record(TRY(parse_typed_record(json.as_object(), &type->attributes)));
    return parse_value(json);
}

Result<Record> parse_tags(JsonObject const& object, Type const* type)
{
    Record tags;
    for (auto const& member : object) {
        auto value = TRY(parse_typed(member.value(), type));
        tags.insert_or_assign(std::string(member.key()), std::move(value));
    }
    return tags;
}

} // namespace

Result<Entity> parse_entity(JsonValue const& json, Schema const& schema)
{
    if (!json.is_object())
        return invalid_argument("an entity must be an object");
    auto const& object = json.as_object();
    auto const* const uid = object.if_contains("uid");
    if (uid == nullptr)
        return invalid_argument("an entity needs a `uid`");
    Entity entity;
    entity.uid = TRY(parse_uid_json(*uid));
    auto const* const type = schema.entity_type(entity.uid.type);
    auto const name = "entity `" + to_string(entity.uid) + "`";
    if (object.contains("attrs"))
        entity.attributes = TRY(parse_typed_record(*TRY(object_member(object, "attrs")), type != nullptr ? &type->attributes : nullptr).in(name));
    if (object.contains("tags"))
        entity.tags = TRY(parse_tags(*TRY(object_member(object, "tags")), type != nullptr ? type->tags.get() : nullptr).in("tags of " + name));
    if (object.contains("parents"))
        for (auto const& parent : *TRY(array_member(object, "parents")))
            entity.parents.push_back(TRY(parse_uid_json(parent).in("parents of " + name)));
    return entity;
}

Result<std::vector<Entity>> parse_entities(JsonValue const& json, Schema const& schema)
{
    if (!json.is_array())
        return invalid_argument("entities must be an array");
    auto entities = schema.action_entities();
    for (auto const& element : json.as_array()) {
        auto entity = TRY(parse_entity(element, schema));
        // The schema has the last word on its actions.
        if (schema.action(entity.uid) == nullptr)
            entities.push_back(std::move(entity));
    }
    return entities;
}

Result<Record> parse_context(JsonValue const& json, EntityUid const& action, Schema const& schema)
{
    if (!json.is_object())
        return invalid_argument("context must be an object");
    auto const* const known = schema.action(action);
    return parse_typed_record(json.as_object(), known != nullptr ? &known->context->attributes : nullptr);
}

} // namespace writ::cedar
