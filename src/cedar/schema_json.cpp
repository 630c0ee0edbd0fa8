// SPDX-License-Identifier: Apache-2.0
//
// Schemas in Cedar's JSON form, both ways.
#include "cedar/schema_syntax.h"
#include "cedar/text.h"

#include <algorithm>

namespace writ::cedar {

namespace {

JsonObject annotations_json(std::vector<Annotation> const& annotations)
{
    JsonObject object;
    for (auto const& annotation : annotations)
        object.emplace(annotation.name, annotation.value);
    return object;
}

void add_annotations(JsonObject& object, std::vector<Annotation> const& annotations)
{
    if (!annotations.empty())
        object.emplace("annotations", annotations_json(annotations));
}

JsonArray names_json(std::vector<std::string> const& names)
{
    JsonArray array;
    for (auto const& name : names)
        array.push_back(JsonValue(name));
    return array;
}

JsonObject type_json(TypeSyntax const& type)
{
    using Kind = TypeSyntax::Kind;
    switch (type.kind) {
    case Kind::name: return { { "type", "EntityOrCommon" }, { "name", type.name } };
    case Kind::entity: return { { "type", "Entity" }, { "name", type.name } };
    case Kind::extension: return { { "type", "Extension" }, { "name", type.name } };
    case Kind::primitive:
    case Kind::common: return { { "type", type.name } };
    case Kind::set: return { { "type", "Set" }, { "element", type_json(type.element.front()) } };
    case Kind::record: break;
    }
    JsonObject attributes;
    for (auto const& attribute : type.attributes) {
        auto json = type_json(attribute.type);
        add_annotations(json, attribute.annotations);
        if (!attribute.is_required)
            json.emplace("required", false);
        attributes.emplace(attribute.name, std::move(json));
    }
    return { { "type", "Record" }, { "attributes", std::move(attributes) } };
}

JsonObject entity_json(EntityTypeSyntax const& entity)
{
    JsonObject object;
    if (!entity.member_of.empty())
        object.emplace("memberOfTypes", names_json(entity.member_of));
    if (entity.shape.kind != TypeSyntax::Kind::record || !entity.shape.attributes.empty())
        object.emplace("shape", type_json(entity.shape));
    if (entity.tags)
        object.emplace("tags", type_json(*entity.tags));
    if (entity.is_enumerated)
        object.emplace("enum", names_json(entity.choices));
    add_annotations(object, entity.annotations);
    return object;
}

JsonObject action_json(ActionSyntax const& action)
{
    // An action for nothing is written as one for no types.
    auto const applies_to = action.applies_to.value_or(AppliesTo {});
    JsonObject applies { { "resourceTypes", names_json(applies_to.resources) }, { "principalTypes", names_json(applies_to.principals) } };
    if (applies_to.context.kind != TypeSyntax::Kind::record || !applies_to.context.attributes.empty())
        applies.emplace("context", type_json(applies_to.context));
    JsonObject object { { "appliesTo", std::move(applies) } };
    JsonArray groups;
    for (auto const& group : action.member_of) {
        JsonObject json { { "id", group.id } };
        if (!group.type.empty())
            json.emplace("type", group.type);
        groups.push_back(std::move(json));
    }
    if (!groups.empty())
        object.emplace("memberOf", std::move(groups));
    add_annotations(object, action.annotations);
    return object;
}

class SchemaReader {
public:
    static Result<NamespaceSyntax> space(std::string name, JsonObject const& object)
    {
        if (!name.empty() && !is_name(name))
            return invalid_argument("`" + name.substr(0, 60) + "` is no namespace");
        NamespaceSyntax made { .name = std::move(name) };
        made.annotations = TRY(annotations(object));
        if (object.contains("commonTypes"))
            for (auto const& member : *TRY(object_member(object, "commonTypes")))
                made.common_types.push_back(TRY(common(member.key(), member.value())));
        for (auto const& member : *TRY(object_member(object, "entityTypes")))
            made.entity_types.push_back(TRY(entity(member.key(), member.value())));
        for (auto const& member : *TRY(object_member(object, "actions")))
            made.actions.push_back(TRY(action(member.key(), member.value())));
        return made;
    }

private:
    static Result<std::vector<Annotation>> annotations(JsonObject const& object)
    {
        std::vector<Annotation> found;
        if (!object.contains("annotations"))
            return found;
        for (auto const& member : *TRY(object_member(object, "annotations"))) {
            if (!is_identifier(std::string_view(member.key())))
                return invalid_argument("`" + std::string(member.key()) + "` is no annotation's name");
            if (!member.value().is_string() && !member.value().is_null())
                return invalid_argument("annotation `" + std::string(member.key()) + "` must be a string");
            found.push_back({ std::string(member.key()), member.value().is_string() ? std::string(member.value().as_string()) : "", {} });
        }
        return found;
    }

    static Result<JsonObject const*> as_object(JsonValue const& json, std::string_view what)
    {
        if (!json.is_object())
            return invalid_argument(std::string(what) + " must be an object");
        return &json.as_object();
    }

    static Result<std::vector<std::string>> names(JsonObject const& object, char const* name)
    {
        std::vector<std::string> found;
        if (!object.contains(name))
            return found;
        found = TRY(strings_member(object, name));
        for (auto const& type : found)
            if (!is_name(type))
                return invalid_argument("`" + type.substr(0, 60) + "` is no entity type");
        return found;
    }

    static Result<CommonTypeSyntax> common(std::string_view name, JsonValue const& json)
    {
        auto const& object = *TRY(as_object(json, "a type"));
        if (!is_identifier(name) || is_reserved(name))
            return invalid_argument("`" + std::string(name.substr(0, 60)) + "` is no type's name");
        CommonTypeSyntax made;
        made.name = name;
        made.type = TRY(type(object, 0));
        made.annotations = TRY(annotations(object));
        return made;
    }

    static Result<EntityTypeSyntax> entity(std::string_view name, JsonValue const& json)
    {
        auto const& object = *TRY(as_object(json, "an entity type"));
        if (!is_identifier(name) || is_reserved(name))
            return invalid_argument("`" + std::string(name.substr(0, 60)) + "` is no entity type's name");
        EntityTypeSyntax made;
        made.name = name;
        made.member_of = TRY(names(object, "memberOfTypes"));
        if (object.contains("shape"))
            made.shape = TRY(type(*TRY(object_member(object, "shape")), 0));
        if (object.contains("tags"))
            made.tags = TRY(type(*TRY(object_member(object, "tags")), 0));
        made.is_enumerated = object.contains("enum");
        if (made.is_enumerated)
            made.choices = TRY(strings_member(object, "enum"));
        made.annotations = TRY(annotations(object));
        return made;
    }

    static Result<ActionReference> action_group(JsonValue const& json)
    {
        auto const& object = *TRY(as_object(json, "an action's group"));
        ActionReference made;
        made.id = TRY(string_member(object, "id"));
        if (object.contains("type"))
            made.type = TRY(string_member(object, "type"));
        return made;
    }

    static Result<ActionSyntax> action(std::string_view id, JsonValue const& json)
    {
        auto const& object = *TRY(as_object(json, "an action"));
        ActionSyntax made;
        made.id = id;
        auto const is_given = [&](char const* name) { return object.contains(name) && !object.at(name).is_null(); };
        if (is_given("memberOf"))
            for (auto const& group : *TRY(array_member(object, "memberOf")))
                made.member_of.push_back(TRY(action_group(group)));
        if (is_given("appliesTo")) {
            auto const& applies = *TRY(object_member(object, "appliesTo"));
            made.applies_to.emplace();
            made.applies_to->principals = TRY(names(applies, "principalTypes"));
            made.applies_to->resources = TRY(names(applies, "resourceTypes"));
            if (applies.contains("context"))
                made.applies_to->context = TRY(type(*TRY(object_member(applies, "context")), 0));
            else if (made.applies_to->principals.empty() && made.applies_to->resources.empty())
                made.applies_to.reset();
        }
        made.annotations = TRY(annotations(object));
        return made;
    }

    static Result<AttributeSyntax> attribute(std::string_view name, JsonValue const& json, int depth)
    {
        auto const& object = *TRY(as_object(json, "an attribute"));
        AttributeSyntax made;
        made.name = name;
        made.type = TRY(type(object, depth));
        if (object.contains("required"))
            made.is_required = TRY(bool_member(object, "required"));
        made.annotations = TRY(annotations(object));
        return made;
    }

    static Result<TypeSyntax> type(JsonObject const& object, int depth)
    {
        using Kind = TypeSyntax::Kind;
        if (depth > type_depth_max)
            return invalid_argument("types are nested deeper than " + std::to_string(type_depth_max));
        auto const word = TRY(string_member(object, "type"));
        TypeSyntax made { .kind = Kind::common };
        if (word == "Record") {
            made.kind = Kind::record;
            for (auto const& member : *TRY(object_member(object, "attributes")))
                made.attributes.push_back(TRY(attribute(member.key(), member.value(), depth + 1)));
            return made;
        }
        if (word == "Set") {
            made.kind = Kind::set;
            made.element.push_back(TRY(type(*TRY(object_member(object, "element")), depth + 1)));
            return made;
        }
        if (word == "Entity" || word == "EntityOrCommon" || word == "Extension") {
            made.kind = word == "Entity" ? Kind::entity : word == "Extension" ? Kind::extension : Kind::name;
            made.name = TRY(string_member(object, "name"));
            return made;
        }
        if (word == "Boolean" || word == "Long" || word == "String")
            made.kind = Kind::primitive;
        made.name = word;
        return made;
    }
};

// Cedar's schema syntax.
class SchemaPrinter {
public:
    std::string run(SchemaSyntax const& schema)
    {
        for (auto const& space : schema.namespaces) {
            annotations(space.annotations, "");
            if (!space.name.empty())
                text_ += "namespace " + space.name + " {\n";
            print(space, space.name.empty() ? "" : "  ");
            if (!space.name.empty())
                text_ += "}\n";
        }
        return std::move(text_);
    }

private:
    void annotations(std::vector<Annotation> const& list, std::string const& indent)
    {
        for (auto const& annotation : list)
            text_ += indent + "@" + annotation.name + "(" + quoted(annotation.value) + ")\n";
    }

    void print(NamespaceSyntax const& space, std::string const& indent)
    {
        for (auto const& common : space.common_types) {
            annotations(common.annotations, indent);
            text_ += indent + "type " + common.name + " = ";
            type(common.type, indent);
            text_ += ";\n";
        }
        for (auto const& entity : space.entity_types)
            print(entity, indent);
        for (auto const& action : space.actions)
            print(action, indent);
    }

    void list(std::vector<std::string> const& names, bool is_quoted = false)
    {
        text_ += "[";
        for (std::size_t i = 0; i < names.size(); ++i)
            text_ += (i > 0 ? ", " : "") + (is_quoted ? quoted(names[i]) : names[i]);
        text_ += "]";
    }

    void print(EntityTypeSyntax const& entity, std::string const& indent)
    {
        annotations(entity.annotations, indent);
        text_ += indent + "entity " + entity.name;
        if (entity.is_enumerated) {
            text_ += " enum ";
            list(entity.choices, true);
        }
        if (!entity.member_of.empty()) {
            text_ += " in ";
            list(entity.member_of);
        }
        if (entity.shape.kind == TypeSyntax::Kind::record && !entity.shape.attributes.empty()) {
            text_ += " = ";
            type(entity.shape, indent);
        }
        if (entity.tags) {
            text_ += " tags ";
            type(*entity.tags, indent);
        }
        text_ += ";\n";
    }

    void print(ActionSyntax const& action, std::string const& indent)
    {
        annotations(action.annotations, indent);
        text_ += indent + "action " + quoted(action.id);
        if (!action.member_of.empty()) {
            text_ += " in [";
            for (std::size_t i = 0; i < action.member_of.size(); ++i) {
                auto const& group = action.member_of[i];
                text_ += (i > 0 ? ", " : "") + (group.type.empty() ? "" : group.type + "::") + quoted(group.id);
            }
            text_ += "]";
        }
        if (action.applies_to) {
            text_ += " appliesTo {\n" + indent + "  principal: ";
            list(action.applies_to->principals);
            text_ += ",\n" + indent + "  resource: ";
            list(action.applies_to->resources);
            text_ += ",\n" + indent + "  context: ";
            type(action.applies_to->context, indent + "  ");
            text_ += ",\n" + indent + "}";
        }
        text_ += ";\n";
    }

    void type(TypeSyntax const& syntax, std::string const& indent)
    {
        using Kind = TypeSyntax::Kind;
        if (syntax.kind == Kind::set) {
            text_ += "Set<";
            type(syntax.element.front(), indent);
            text_ += ">";
            return;
        }
        if (syntax.kind != Kind::record) {
            text_ += syntax.kind == Kind::primitive && syntax.name == "Boolean" ? "Bool" : syntax.name;
            return;
        }
        text_ += "{";
        for (auto const& attribute : syntax.attributes) {
            text_ += "\n";
            annotations(attribute.annotations, indent + "  ");
            text_ += indent + "  " + (is_identifier(attribute.name) ? attribute.name : quoted(attribute.name)) + (attribute.is_required ? ": " : "?: ");
            type(attribute.type, indent + "  ");
            text_ += ",";
        }
        text_ += syntax.attributes.empty() ? "}" : "\n" + indent + "}";
    }

    std::string text_;
};

} // namespace

JsonValue to_json(SchemaSyntax const& schema)
{
    JsonObject object;
    for (auto const& space : schema.namespaces) {
        JsonObject entities;
        for (auto const& entity : space.entity_types)
            entities.emplace(entity.name, entity_json(entity));
        JsonObject actions;
        for (auto const& action : space.actions)
            actions.emplace(action.id, action_json(action));
        JsonObject json { { "entityTypes", std::move(entities) }, { "actions", std::move(actions) } };
        JsonObject commons;
        for (auto const& common : space.common_types) {
            auto type = type_json(common.type);
            add_annotations(type, common.annotations);
            commons.emplace(common.name, std::move(type));
        }
        if (!commons.empty())
            json.emplace("commonTypes", std::move(commons));
        add_annotations(json, space.annotations);
        object.emplace(space.name, std::move(json));
    }
    return object;
}

Result<SchemaSyntax> parse_schema_json(JsonValue const& json)
{
    if (!json.is_object())
        return invalid_argument("a schema must be an object");
    SchemaSyntax schema;
    for (auto const& member : json.as_object()) {
        if (!member.value().is_object())
            return invalid_argument("a namespace must be an object");
        schema.namespaces.push_back(TRY(SchemaReader::space(std::string(member.key()), member.value().as_object())));
    }
    return schema;
}

std::string to_string(SchemaSyntax const& schema) { return SchemaPrinter().run(schema); }

} // namespace writ::cedar
