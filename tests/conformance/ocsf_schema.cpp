// SPDX-License-Identifier: Apache-2.0
#include "ocsf_schema.h"

#include "tally.h"

#include <regex>

namespace writ::conformance {

namespace {

// LIMIT: of objects in objects: processes have parents.
constexpr int depth_max = 40;

JsonObject object_at(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    return value != nullptr && value->is_object() ? value->as_object() : JsonObject();
}

std::vector<std::string> names_at(JsonObject const& object, std::string_view name)
{
    auto names = strings_member(object, name);
    return names.is_ok() ? std::move(*names) : std::vector<std::string>();
}

// What `over` says wins, member by member; objects in it (enumerations) are merged.
JsonObject merged(JsonObject under, JsonObject const& over)
{
    for (auto const& member : over) {
        auto* const known = under.if_contains(member.key());
        if (known != nullptr && known->is_object() && member.value().is_object())
            *known = merged(known->as_object(), member.value().as_object());
        else
            under[member.key()] = member.value();
    }
    return under;
}

bool has_any(JsonObject const& object, std::vector<std::string> const& names)
{
    return std::ranges::any_of(names, [&](std::string const& name) { return object.contains(name); });
}

std::string joined(std::vector<std::string> const& names)
{
    std::string text;
    for (auto const& name : names)
        text += (text.empty() ? "" : ", ") + name;
    return text;
}

} // namespace

struct OcsfSchema::Validation {
    std::set<std::string> profiles;
    std::vector<std::string> errors;
    int depth = 0;

    void fail(std::string const& where, std::string const& why) { errors.push_back(where + ": " + why); }
};

Result<OcsfSchema> OcsfSchema::load(Path const& folder)
{
    OcsfSchema schema;
    schema.folder_ = folder;
    schema.read_dictionary(TRY(read_json(folder / "dictionary.json")));
    auto const categories = TRY(read_json(folder / "categories.json"));
    for (auto const& category : object_at(categories, "attributes"))
        schema.categories_[std::string(category.key())] = { static_cast<int>(category.value().at("uid").as_int64()),
            std::string(category.value().at("caption").as_string()) };
    for (auto const& file : json_files(folder / "profiles"))
        schema.profiles_["profiles/" + file.filename().string()] = TRY(read_json(file));
    auto const events = schema.read_sources(folder / "events"), objects = schema.read_sources(folder / "objects");
    for (auto const& [name, source] : objects)
        schema.objects_.emplace(name, schema.compile(objects, source));
    for (auto const& [name, source] : events)
        schema.classes_.emplace(name, schema.compile(events, source));
    return schema;
}

OcsfSchema::Sources OcsfSchema::read_sources(Path const& folder)
{
    Sources sources;
    for (auto const& file : json_files(folder)) {
        auto source = read_json(file);
        if (source.is_ok())
            sources.emplace(text_at(*source, "name"), std::move(*source));
        else
            problems_.push_back(source.error().message);
    }
    return sources;
}

void OcsfSchema::read_dictionary(JsonObject const& dictionary)
{
    dictionary_ = object_at(dictionary, "attributes");
    for (auto const& type : object_at(object_at(dictionary, "types"), "attributes")) {
        auto const& source = type.value().as_object();
        DataType read { .base = text_at(source, "type"), .pattern = text_at(source, "regex"), .length_max = 0, .range = {} };
        if (auto const* length = source.if_contains("max_len"))
            read.length_max = static_cast<std::size_t>(length->as_int64());
        if (auto const* range = source.if_contains("range"))
            read.range = { range->as_array()[0].as_int64(), range->as_array()[1].as_int64() };
        types_.emplace(type.key(), std::move(read));
    }
}

// What `$include` names, each attribute with the profile that it came from.
JsonObject OcsfSchema::included(JsonObject const& attributes)
{
    JsonObject all;
    for (auto const& path : names_at(attributes, "$include")) {
        auto const profile = profiles_.find(path);
        if (profile == profiles_.end()) {
            problems_.push_back("`" + path + "` is included and not there");
            continue;
        }
        for (auto const& attribute : object_at(profile->second, "attributes")) {
            auto source = attribute.value().as_object();
            source.emplace("profile", text_at(profile->second, "name"));
            all[attribute.key()] = std::move(source);
        }
    }
    auto own = attributes;
    own.erase("$include");
    return merged(std::move(all), own);
}

JsonObject OcsfSchema::inherited(Sources const& sources, JsonObject const& source, std::string_view member)
{
    JsonObject all;
    if (auto const parent = text_at(source, "extends"); !parent.empty()) {
        auto const found = sources.find(parent);
        if (found == sources.end())
            problems_.push_back("`" + text_at(source, "name") + "` extends `" + parent + "`, which is not there");
        else
            all = inherited(sources, found->second, member);
    }
    auto const own = object_at(source, member);
    return merged(std::move(all), member == "attributes" ? included(own) : own);
}

OcsfType OcsfSchema::compile(Sources const& sources, JsonObject const& source)
{
    OcsfType type { .name = text_at(source, "name"), .caption = text_at(source, "caption"), .category = text_at(source, "category") };
    for (auto parent = text_at(source, "extends"); type.category.empty() && sources.contains(parent);
         parent = text_at(sources.at(parent), "extends"))
        type.category = text_at(sources.at(parent), "category");
    if (auto const* uid = source.if_contains("uid"))
        type.uid = categories_[type.category].first * 1000 + static_cast<int>(uid->as_int64());
    for (auto const& attribute : inherited(sources, source, "attributes"))
        type.attributes.emplace(
            attribute.key(), attribute_of(type.name, std::string(attribute.key()), attribute.value().as_object()));
    // The sources enumerate only the base event's; check_event() holds them against the class's own.
    for (auto const* name : { "class_uid", "category_uid" })
        if (auto const attribute = type.attributes.find(name); attribute != type.attributes.end())
            attribute->second.values.clear();
    auto const constraints = inherited(sources, source, "constraints");
    if (auto names = names_at(constraints, "at_least_one"); !names.empty())
        type.at_least_one.push_back(std::move(names));
    if (auto names = names_at(constraints, "just_one"); !names.empty())
        type.just_one.push_back(std::move(names));
    return type;
}

OcsfAttribute OcsfSchema::attribute_of(std::string const& owner, std::string const& name, JsonObject const& source)
{
    auto const known = object_at(dictionary_, name);
    if (known.empty())
        problems_.push_back("`" + owner + "." + name + "` is not in the dictionary");
    auto const all = merged(known, source);
    OcsfAttribute attribute { .type = text_at(all, "type"), .sibling = text_at(all, "sibling") };
    auto const* const array = all.if_contains("is_array");
    attribute.is_array = array != nullptr && array->as_bool();
    attribute.is_required = text_at(all, "requirement") == "required";
    attribute.is_deprecated = all.contains("@deprecated");
    attribute.profile = text_at(all, "profile");
    for (auto const& value : object_at(all, "enum"))
        attribute.values.emplace(value.key(), text_at(value.value().as_object(), "caption"));
    return attribute;
}

std::vector<std::string> OcsfSchema::validate(JsonObject const& event) const
{
    Validation validation;
    for (auto const& profile : names_at(object_at(event, "metadata"), "profiles"))
        validation.profiles.insert(profile);
    auto const uid = integer_member(event, "class_uid");
    for (auto const& [name, type] : classes_)
        if (uid.is_ok() && type.uid == *uid && (type.uid != 0 || name == "base_event")) {
            check_type(validation, type, event, "");
            check_event(validation, type, event);
            return validation.errors;
        }
    return { "no class has its class_uid" };
}

void OcsfSchema::check_event(Validation& validation, OcsfType const& type, JsonObject const& event) const
{
    auto const is = [&](std::string_view name, std::string const& wanted) {
        if (auto const text = text_at(event, name); event.contains(name) && text != wanted)
            validation.fail(std::string(name), "is `" + text + "` and not `" + wanted + "`");
    };
    auto const number = [&](std::string_view name) { return integer_member(event, name).is_ok() ? *integer_member(event, name) : -1; };
    auto const& category = categories_.at(type.category);
    if (number("category_uid") != category.first)
        validation.fail("category_uid", "is not the class's");
    if (number("type_uid") != type.uid * 100 + number("activity_id"))
        validation.fail("type_uid", "is not of its class and activity");
    is("class_name", type.caption);
    is("category_name", category.second);
    auto const& activities = type.attributes.at("activity_id").values;
    if (auto const activity = activities.find(std::to_string(number("activity_id"))); activity != activities.end())
        is("type_name", type.caption + ": " + activity->second);
}

void OcsfSchema::check_type(Validation& validation, OcsfType const& type, JsonObject const& object, std::string const& where) const
{
    if (++validation.depth > depth_max)
        return validation.fail(where, "is nested too deep");
    for (auto const& [name, attribute] : type.attributes) {
        auto const is_active = attribute.profile.empty() || validation.profiles.contains(attribute.profile);
        auto const* const value = object.if_contains(name);
        if (value == nullptr) {
            if (attribute.is_required && is_active)
                validation.fail(where + "/" + name, "is required and missing");
            continue;
        }
        if (!is_active)
            validation.fail(where + "/" + name, "is of profile `" + attribute.profile + "`, which the event does not name");
        check_attribute(validation, attribute, *value, where + "/" + name);
        check_sibling(validation, attribute, object, *value, where + "/" + name);
    }
    for (auto const& member : object)
        if (!type.attributes.contains(std::string(member.key())))
            validation.fail(where + "/" + std::string(member.key()), "is not an attribute of `" + type.name + "`");
    check_constraints(validation, type, object, where);
    --validation.depth;
}

void OcsfSchema::check_constraints(Validation& validation, OcsfType const& type, JsonObject const& object, std::string const& where) const
{
    for (auto const& names : type.at_least_one)
        if (!has_any(object, names))
            validation.fail(where, "has none of " + joined(names));
    for (auto const& names : type.just_one)
        if (std::ranges::count_if(names, [&](std::string const& name) { return object.contains(name); }) != 1)
            validation.fail(where, "has not just one of " + joined(names));
}

void OcsfSchema::check_attribute(
    Validation& validation, OcsfAttribute const& attribute, JsonValue const& value, std::string const& where) const
{
    if (attribute.is_deprecated)
        validation.fail(where, "is deprecated");
    if (!attribute.is_array)
        return check_value(validation, attribute, value, where);
    if (!value.is_array())
        return validation.fail(where, "is no list");
    for (auto const& element : value.as_array())
        check_value(validation, attribute, element, where + "/*");
}

void OcsfSchema::check_value(Validation& validation, OcsfAttribute const& attribute, JsonValue const& value, std::string const& where) const
{
    if (auto const object = objects_.find(attribute.type); object != objects_.end()) {
        if (!value.is_object())
            return validation.fail(where, "is no object");
        if (attribute.type != "object") // which may have anything in it
            check_type(validation, object->second, value.as_object(), where);
        return;
    }
    check_data_type(validation, attribute.type, value, where);
    if (attribute.values.empty())
        return;
    auto const text = value.is_string() ? std::string(value.as_string()) : to_text(value);
    if (!attribute.values.contains(text))
        validation.fail(where, text + " is not in its enumeration");
}

void OcsfSchema::check_data_type(Validation& validation, std::string const& type, JsonValue const& value, std::string const& where) const
{
    auto const known = types_.find(type);
    if (known == types_.end())
        return validation.fail(where, "is of type `" + type + "`, which is not here");
    auto const& base = known->second.base.empty() ? type : known->second.base;
    auto const is_whole = value.is_int64() || value.is_uint64();
    auto const fits = base == "string_t" ? value.is_string()
        : base == "boolean_t"            ? value.is_bool()
        : base == "float_t"              ? value.is_number()
        : base == "json_t"               ? true
                                         : (base == "integer_t" || base == "long_t") && is_whole;
    if (!fits)
        return validation.fail(where, "is not of type " + type);
    if (value.is_string()) {
        std::string const text(value.as_string());
        if (!known->second.pattern.empty() && !std::regex_search(text, std::regex(known->second.pattern)))
            validation.fail(where, "does not look like " + type);
        if (known->second.length_max != 0 && text.size() > known->second.length_max)
            validation.fail(where, "is too long");
    }
    if (is_whole && known->second.range) {
        auto const number = value.to_number<std::int64_t>();
        if (number < known->second.range->first || number > known->second.range->second)
            validation.fail(where, "is out of range");
    }
}

// `status` says in words what `status_id` says in numbers.
void OcsfSchema::check_sibling(
    Validation& validation, OcsfAttribute const& attribute, JsonObject const& owner, JsonValue const& value, std::string const& where) const
{
    if (attribute.sibling.empty() || attribute.values.empty() || !owner.contains(attribute.sibling) || value.is_array())
        return;
    auto const number = value.is_string() ? std::string(value.as_string()) : to_text(value);
    auto const caption = attribute.values.find(number);
    if (number == "99" || caption == attribute.values.end())
        return;
    if (text_at(owner, attribute.sibling) != caption->second)
        validation.fail(where, "its sibling `" + attribute.sibling + "` is not `" + caption->second + "`");
}

} // namespace writ::conformance
