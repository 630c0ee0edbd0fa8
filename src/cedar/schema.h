// SPDX-License-Identifier: Apache-2.0
//
// A schema with its names resolved: what entities, actions and their context look like. Immutable; read by many threads.
#pragma once

#include "cedar/authorizer.h"
#include "cedar/schema_syntax.h"

#include <memory>
#include <set>
#include <unordered_map>

namespace writ::cedar {

struct Type;
using TypePointer = std::shared_ptr<Type const>;

struct AttributeType {
    TypePointer type;
    bool is_required = true;
};
using Attributes = std::map<std::string, AttributeType, std::less<>>;

struct Type {
    // `never` is the element of the empty set; true and false are what a validator knows of a bool beforehand.
    enum class Kind : std::uint8_t { never, yes, no, boolean, number, string, entity, set, record, decimal, datetime, duration, ip_address };
    Kind kind = Kind::boolean;
    std::vector<std::string> entities; // sorted; of an entity: any of these types. Only permissive validation has more than one
    TypePointer element;               // of a set; nullptr: of anything
    Attributes attributes;             // of a record
    bool is_open = false;              // of a record: there may be more attributes
};
std::string to_string(Type const&);

struct EntityTypeSchema {
    std::string name;
    std::set<std::string> ancestors; // types its entities may be in, near and far
    Attributes attributes;
    TypePointer tags;                // nullptr: none
    std::set<std::string> choices;   // of an enumerated type; empty: any
    bool is_enumerated = false;
};

struct ActionSchema {
    EntityUid uid;
    std::vector<EntityUid> parents;
    std::set<EntityUid> ancestors;
    bool applies = false; // whether it has an `appliesTo`
    std::set<std::string> principals;
    std::set<std::string> resources;
    TypePointer context; // a record
};

class Schema {
public:
    // Syntax and names; with any problem, nothing.
    static std::optional<Schema> parse(std::vector<PolicySource> const&, std::vector<SyntaxProblem>&);
    static std::optional<Schema> resolve(std::vector<SchemaSyntax> const&, std::vector<SyntaxProblem>&);

    [[nodiscard]] EntityTypeSchema const* entity_type(std::string_view name) const;
    [[nodiscard]] ActionSchema const* action(EntityUid const&) const;
    [[nodiscard]] std::map<std::string, EntityTypeSchema, std::less<>> const& entity_types() const { return entity_types_; }
    [[nodiscard]] std::map<EntityUid, ActionSchema> const& actions() const { return actions_; }
    // The actions as entities, with all their groups.
    [[nodiscard]] std::vector<Entity> action_entities() const;

private:
    friend class SchemaResolver;
    std::map<std::string, EntityTypeSchema, std::less<>> entity_types_;
    std::map<EntityUid, ActionSchema> actions_;
};

// One entity, where the schema names an entity or extension type the value may be written without `__entity` or `__extn`.
// What does not follow the schema is read as without one: validate_entity tells.
Result<Entity> parse_entity(JsonValue const&, Schema const&);
// A list of them, and the schema's actions, in whose place entities of the list that claim to be them do not come.
Result<std::vector<Entity>> parse_entities(JsonValue const&, Schema const&);
// The context of a request for `action`.
Result<Record> parse_context(JsonValue const&, EntityUid const& action, Schema const&);

} // namespace writ::cedar
