// SPDX-License-Identifier: Apache-2.0
//
// Values and entities in Cedar's JSON form, without a schema. https://docs.cedarpolicy.com/auth/entities-syntax.html
#include "cedar/entity.h"
#include "cedar/evaluator.h"
#include "cedar/text.h"
#include "cedar/value_json.h"

namespace writ::cedar {

namespace {

Result<Value> parse_object(JsonObject const& object)
{
    if (auto const* escaped = object.if_contains("__entity"); escaped != nullptr && object.size() == 1)
        return Value(TRY(parse_uid_json(*escaped)));
    if (auto const* escaped = object.if_contains("__extn"); escaped != nullptr && object.size() == 1)
        return parse_extension_json(*escaped);
    if (object.contains("__expr"))
        return invalid_argument("`__expr` is no longer part of the language");
    return Value::record(TRY(parse_record(object)));
}

JsonObject escaped_extension(char const* function, std::string const& argument)
{
    return { { "__extn", JsonObject { { "fn", function }, { "arg", argument } } } };
}

JsonValue json_of(bool truth) { return truth; }
JsonValue json_of(std::int64_t number) { return number; }
JsonValue json_of(std::string const& text) { return JsonValue(text); }
JsonValue json_of(EntityUid const& uid) { return JsonObject { { "__entity", to_json(uid) } }; }
JsonValue json_of(Decimal value) { return escaped_extension("decimal", decimal_text(value)); }
JsonValue json_of(DurationValue value) { return escaped_extension("duration", duration_text(value)); }
JsonValue json_of(IpAddress const& value) { return escaped_extension("ip", ip_address_text(value)); }

JsonValue json_of(Datetime value)
{
    if (auto const text = datetime_text(value))
        return escaped_extension("datetime", *text);
    // Beyond the year 9999 a datetime is written by how far it is from 1970.
    JsonArray arguments { escaped_extension("datetime", "1970-01-01"), escaped_extension("duration", duration_text({ value.milliseconds })) };
    return JsonObject { { "__extn", JsonObject { { "fn", "offset" }, { "args", std::move(arguments) } } } };
}

JsonValue json_of(std::shared_ptr<Set const> const& set)
{
    JsonArray array;
    for (auto const& element : *set)
        array.push_back(to_json(element));
    return array;
}

JsonValue json_of(std::shared_ptr<Record const> const& record) { return to_json(*record); }

Result<Entity> parse_entity(JsonValue const& json)
{
    if (!json.is_object())
        return invalid_argument("an entity must be an object");
    auto const& object = json.as_object();
    auto const* uid = object.if_contains("uid");
    if (uid == nullptr)
        return invalid_argument("an entity needs a `uid`");
    Entity entity;
    entity.uid = TRY(parse_uid_json(*uid));
    if (object.contains("attrs"))
        entity.attributes = TRY(parse_record(*TRY(object_member(object, "attrs"))).in("entity `" + to_string(entity.uid) + "`"));
    if (object.contains("tags"))
        entity.tags = TRY(parse_record(*TRY(object_member(object, "tags"))).in("tags of entity `" + to_string(entity.uid) + "`"));
    if (object.contains("parents"))
        for (auto const& parent : *TRY(array_member(object, "parents")))
            entity.parents.push_back(TRY(parse_uid_json(parent).in("parents of entity `" + to_string(entity.uid) + "`")));
    return entity;
}

} // namespace

Result<Value> extension_value(std::string_view function, std::string_view argument)
{
    if (function == "decimal")
        return Value(TRY(parse_decimal(argument)));
    if (function == "datetime")
        return Value(TRY(parse_datetime(argument)));
    if (function == "duration")
        return Value(TRY(parse_duration(argument)));
    if (function == "ip")
        return Value(TRY(parse_ip_address(argument)));
    return invalid_argument("`" + std::string(function.substr(0, 60)) + "` makes no value");
}

Result<Value> parse_extension_json(JsonValue const& json)
{
    if (!json.is_object())
        return invalid_argument("`__extn` must be an object of `fn` and `arg`");
    auto const& object = json.as_object();
    auto const function = TRY(string_member(object, "fn"));
    if (function != "offset")
        return extension_value(function, TRY(string_member(object, "arg")));
    std::vector<Value> arguments;
    for (auto const& argument : *TRY(array_member(object, "args")))
        arguments.push_back(TRY(parse_value(argument)));
    return call_function(function, arguments);
}

Result<EntityUid> parse_uid_json(JsonValue const& json)
{
    if (!json.is_object())
        return invalid_argument("an entity's name must be an object of `type` and `id`");
    auto const& object = json.as_object();
    if (auto const* escaped = object.if_contains("__entity"))
        return parse_uid_json(*escaped);
    auto const type = TRY(string_member(object, "type"));
    auto const id = TRY(string_member(object, "id"));
    if (!is_name(type))
        return invalid_argument("`" + std::string(type.substr(0, 60)) + "` is no entity type");
    return EntityUid { std::string(type), std::string(id) };
}

Result<Record> parse_record(JsonObject const& object)
{
    Record record;
    for (auto const& member : object) {
        auto value = TRY(parse_value(member.value()).in("`" + std::string(member.key()) + "`"));
        record.insert_or_assign(std::string(member.key()), std::move(value));
    }
    return record;
}

Result<Value> parse_value(JsonValue const& json)
{
    if (json.is_string())
        return Value(std::string(json.as_string()));
    if (json.is_int64())
        return Value(json.as_int64());
    if (json.is_bool())
        return Value(json.as_bool());
    if (json.is_object())
        return parse_object(json.as_object());
    if (!json.is_array())
        return invalid_argument(json.is_null() ? "null is no value" : "only whole numbers of 64 bits are values");
    std::vector<Value> elements;
    for (auto const& element : json.as_array())
        elements.push_back(TRY(parse_value(element)));
    return Value::set(std::move(elements));
}

JsonValue to_json(EntityUid const& uid) { return JsonObject { { "type", uid.type }, { "id", uid.id } }; }

JsonValue to_json(Value const& value)
{
    return std::visit([](auto const& stored) { return json_of(stored); }, value.storage());
}

JsonValue to_json(Record const& record)
{
    JsonObject object;
    for (auto const& [name, member] : record)
        object.emplace(name, to_json(member));
    return object;
}

JsonValue to_json(Entity const& entity)
{
    JsonArray parents;
    for (auto const& parent : entity.parents)
        parents.push_back(to_json(parent));
    JsonObject object { { "uid", to_json(entity.uid) }, { "attrs", to_json(entity.attributes) }, { "parents", std::move(parents) } };
    if (!entity.tags.empty())
        object.emplace("tags", to_json(entity.tags));
    return object;
}

Result<std::vector<Entity>> parse_entities(JsonValue const& json)
{
    if (!json.is_array())
        return invalid_argument("entities must be an array");
    std::vector<Entity> entities;
    for (auto const& element : json.as_array())
        entities.push_back(TRY(parse_entity(element)));
    return entities;
}

} // namespace writ::cedar
