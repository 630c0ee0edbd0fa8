// SPDX-License-Identifier: Apache-2.0
//
// A schema as it was written, before names are resolved: what Cedar's schema syntax and its JSON form have in common.
// https://docs.cedarpolicy.com/schema/human-readable-schema.html https://docs.cedarpolicy.com/schema/json-schema.html
#pragma once

#include "base/json.h"
#include "cedar/ast.h"

namespace writ::cedar {

// LIMIT: nesting of types in a schema.
inline constexpr int type_depth_max = 64;

struct AttributeSyntax;

struct TypeSyntax {
    enum class Kind : std::uint8_t {
        name,       // of a common or an entity type, whichever there is; or `Long`, `ipaddr`, …
        common,     // of a common type or a built-in one (the JSON form can say so)
        entity,     // of an entity type
        primitive,  // `Bool`, `Long`, `String` and nothing else
        extension,  // `ipaddr`, `decimal`, `datetime`, `duration` and nothing else
        set,
        record,
    };
    Kind kind = Kind::record;
    std::string name;
    std::vector<TypeSyntax> element; // of a set: one
    std::vector<AttributeSyntax> attributes;
    SourceSpan span;
};

struct AttributeSyntax {
    std::string name;
    TypeSyntax type;
    bool is_required = true;
    std::vector<Annotation> annotations;
    SourceSpan span;
};

struct CommonTypeSyntax {
    std::string name;
    TypeSyntax type;
    std::vector<Annotation> annotations;
    SourceSpan span;
};

struct EntityTypeSyntax {
    std::string name;
    std::vector<std::string> member_of;
    TypeSyntax shape; // a record, or a name
    std::optional<TypeSyntax> tags;
    std::vector<std::string> choices; // of an enumerated type
    bool is_enumerated = false;
    std::vector<Annotation> annotations;
    SourceSpan span;
};

struct ActionReference {
    std::string type; // empty: `Action` of the same namespace
    std::string id;
    SourceSpan span;
};

struct AppliesTo {
    std::vector<std::string> principals;
    std::vector<std::string> resources;
    TypeSyntax context;
};

struct ActionSyntax {
    std::string id;
    std::vector<ActionReference> member_of;
    std::optional<AppliesTo> applies_to;
    std::vector<Annotation> annotations;
    SourceSpan span;
};

struct NamespaceSyntax {
    std::string name; // empty: none
    std::vector<CommonTypeSyntax> common_types;
    std::vector<EntityTypeSyntax> entity_types;
    std::vector<ActionSyntax> actions;
    std::vector<Annotation> annotations;
    SourceSpan span;
};

struct SchemaSyntax {
    std::vector<NamespaceSyntax> namespaces; // at most one of a name
};

// Problems carry the place; with any, what was understood of the rest is still returned.
SchemaSyntax parse_schema_syntax(PolicySource const&, std::vector<SyntaxProblem>&);
Result<SchemaSyntax> parse_schema_json(JsonValue const&);
JsonValue to_json(SchemaSyntax const&);
std::string to_string(SchemaSyntax const&); // Cedar's schema syntax

} // namespace writ::cedar
