// SPDX-License-Identifier: Apache-2.0
//
// From a schema's text to its meaning: names are resolved, common types replaced, hierarchies closed.
// An unqualified name is looked for in its own namespace, then outside of all, then among the built-in types; a qualified one is what it says.
#include "cedar/schema.h"
#include "cedar/text.h"

#include <algorithm>
#include <functional>

namespace writ::cedar {

namespace {

struct BuiltIn {
    std::string_view name;
    Type::Kind kind;
    bool is_extension;
};
constexpr std::array<BuiltIn, 8> built_ins { { { "Bool", Type::Kind::boolean, false }, { "Boolean", Type::Kind::boolean, false }, { "Long", Type::Kind::number, false },
    { "String", Type::Kind::string, false }, { "ipaddr", Type::Kind::ip_address, true }, { "decimal", Type::Kind::decimal, true },
    { "datetime", Type::Kind::datetime, true }, { "duration", Type::Kind::duration, true } } };

TypePointer built_in(std::string_view name)
{
    auto const* const found = std::find_if(built_ins.begin(), built_ins.end(), [&](BuiltIn const& b) { return b.name == name; });
    if (found == built_ins.end())
        return nullptr;
    auto type = std::make_shared<Type>();
    type->kind = found->kind;
    return type;
}

std::string qualified(std::string const& space, std::string const& name) { return space.empty() ? name : space + "::" + name; }
bool is_qualified(std::string_view name) { return name.find("::") != std::string_view::npos; }

} // namespace

class SchemaResolver {
public:
    SchemaResolver(std::vector<SchemaSyntax> const& syntax, std::vector<SyntaxProblem>& problems)
        : syntax_(syntax)
        , problems_(problems)
    {
    }

    Schema run()
    {
        declare();
        for (auto const& [name, declared] : commons_)
            common_type(name);
        for (auto const& schema : syntax_)
            for (auto const& space : schema.namespaces) {
                for (auto const& entity : space.entity_types)
                    add_entity_type(space.name, entity);
                for (auto const& action : space.actions)
                    add_action(space.name, action);
            }
        close_entity_types();
        close_actions();
        return std::move(schema_);
    }

private:
    struct Common {
        std::string space;
        TypeSyntax const* syntax = nullptr;
        SourceSpan span;
        TypePointer resolved;
        bool is_open = false; // being resolved right now
    };

    void problem(SourceSpan span, std::string message) { problems_.push_back({ {}, span, std::move(message) }); }

    void declare()
    {
        for (auto const& schema : syntax_)
            for (auto const& space : schema.namespaces) {
                for (auto const& common : space.common_types)
                    declare_common(space.name, common);
                for (auto const& entity : space.entity_types)
                    if (!entities_.insert(qualified(space.name, entity.name)).second)
                        problem(entity.span, "entity type `" + entity.name + "` is declared twice");
                for (auto const& action : space.actions)
                    if (!actions_.insert({ qualified(space.name, "Action"), action.id }).second)
                        problem(action.span, "action " + quoted(action.id) + " is declared twice");
            }
        for (auto const& name : entities_)
            if (name == "Action" || name.ends_with("::Action"))
                problem({}, "no entity type may be called `Action`");
    }

    void declare_common(std::string const& space, CommonTypeSyntax const& common)
    {
        static constexpr std::array<std::string_view, 9> taken { "Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String", "EntityOrCommon" };
        if (std::find(taken.begin(), taken.end(), common.name) != taken.end())
            problem(common.span, "`" + common.name + "` is a built-in type");
        if (!commons_.emplace(qualified(space, common.name), Common { space, &common.type, common.span, nullptr }).second)
            problem(common.span, "type `" + common.name + "` is declared twice");
    }

    TypePointer common_type(std::string const& name)
    {
        auto& common = commons_.at(name);
        if (common.resolved != nullptr)
            return common.resolved;
        // LIMIT: a chain of common types that name each other, as deep as types may be nested.
        if (common.is_open || open_ > type_depth_max) {
            problem(common.span, common.is_open ? "type `" + name + "` contains itself" : "common types are nested deeper than " + std::to_string(type_depth_max));
            return common.resolved = built_in("Bool");
        }
        common.is_open = true;
        ++open_;
        auto resolved = resolve(common.space, *common.syntax);
        --open_;
        common.is_open = false;
        return common.resolved = std::move(resolved);
    }

    // The names that `name` may stand for, first come first served.
    static std::vector<std::string> candidates(std::string const& space, std::string const& name)
    {
        if (is_qualified(name) || space.empty())
            return { name };
        return { qualified(space, name), name };
    }

    static TypePointer entity_of(std::string name)
    {
        auto type = std::make_shared<Type>();
        type->kind = Type::Kind::entity;
        type->entities.push_back(std::move(name));
        return type;
    }

    TypePointer resolve_name(std::string const& space, TypeSyntax const& syntax)
    {
        using Kind = TypeSyntax::Kind;
        bool const may_be_common = syntax.kind == Kind::name || syntax.kind == Kind::common;
        bool const may_be_entity = syntax.kind == Kind::name || syntax.kind == Kind::entity;
        for (auto const& name : candidates(space, syntax.name)) {
            if (may_be_common && commons_.contains(name))
                return common_type(name);
            if (may_be_entity && entities_.contains(name))
                return entity_of(name);
        }
        std::string_view const name = syntax.name;
        bool const is_marked = name.starts_with("__cedar::");
        if (auto type = syntax.kind == Kind::entity ? nullptr : built_in(is_marked ? name.substr(9) : name))
            return type;
        problem(syntax.span, "there is no type `" + syntax.name + "`" + suggestion(syntax.name, type_names()));
        return built_in("Bool");
    }

    [[nodiscard]] std::vector<std::string> type_names() const
    {
        std::vector<std::string> names(entities_.begin(), entities_.end());
        for (auto const& [name, unused] : commons_)
            names.push_back(name);
        for (auto const& built : built_ins)
            names.emplace_back(built.name);
        return names;
    }

    TypePointer resolve(std::string const& space, TypeSyntax const& syntax)
    {
        auto type = std::make_shared<Type>();
        switch (syntax.kind) {
        case TypeSyntax::Kind::primitive:
        case TypeSyntax::Kind::extension: {
            std::string_view const name = syntax.name;
            if (auto found = built_in(name.starts_with("__cedar::") ? name.substr(9) : name))
                return found;
            problem(syntax.span, "there is no built-in type `" + syntax.name + "`");
            return built_in("Bool");
        }
        case TypeSyntax::Kind::set:
            type->kind = Type::Kind::set;
            type->element = resolve(space, syntax.element.front());
            return type;
        case TypeSyntax::Kind::record:
            type->kind = Type::Kind::record;
            for (auto const& attribute : syntax.attributes)
                type->attributes.insert_or_assign(attribute.name, AttributeType { resolve(space, attribute.type), attribute.is_required });
            return type;
        default: return resolve_name(space, syntax);
        }
    }

    std::string entity_name(std::string const& space, std::string const& name, SourceSpan span)
    {
        for (auto const& candidate : candidates(space, name))
            if (entities_.contains(candidate))
                return candidate;
        problem(span, "there is no entity type `" + name + "`" + suggestion(name, { entities_.begin(), entities_.end() }));
        return name;
    }

    Attributes record_of(std::string const& space, TypeSyntax const& syntax, std::string_view what)
    {
        auto const type = resolve(space, syntax);
        if (type->kind != Type::Kind::record)
            problem(syntax.span, std::string(what) + " must be a record");
        return type->attributes;
    }

    void add_entity_type(std::string const& space, EntityTypeSyntax const& syntax)
    {
        EntityTypeSchema made { .name = qualified(space, syntax.name), .is_enumerated = syntax.is_enumerated };
        made.attributes = record_of(space, syntax.shape, "an entity type's shape");
        if (syntax.tags)
            made.tags = resolve(space, *syntax.tags);
        made.choices.insert(syntax.choices.begin(), syntax.choices.end());
        for (auto const& group : syntax.member_of)
            made.ancestors.insert(entity_name(space, group, syntax.span));
        schema_.entity_types_.insert_or_assign(made.name, std::move(made));
    }

    void add_action(std::string const& space, ActionSyntax const& syntax)
    {
        ActionSchema made { .uid = { qualified(space, "Action"), syntax.id } };
        for (auto const& group : syntax.member_of)
            made.parents.push_back(action_uid(space, group));
        made.ancestors.insert(made.parents.begin(), made.parents.end());
        auto context = std::make_shared<Type>();
        context->kind = Type::Kind::record;
        if (syntax.applies_to) {
            made.applies = true;
            for (auto const& name : syntax.applies_to->principals)
                made.principals.insert(entity_name(space, name, syntax.span));
            for (auto const& name : syntax.applies_to->resources)
                made.resources.insert(entity_name(space, name, syntax.span));
            context->attributes = record_of(space, syntax.applies_to->context, "an action's context");
        }
        made.context = std::move(context);
        schema_.actions_.insert_or_assign(made.uid, std::move(made));
    }

    EntityUid action_uid(std::string const& space, ActionReference const& reference)
    {
        if (reference.type.empty())
            return known_action({ qualified(space, "Action"), reference.id }, reference.span);
        for (auto const& type : candidates(space, reference.type))
            if (actions_.contains({ type, reference.id }))
                return { type, reference.id };
        return known_action({ reference.type, reference.id }, reference.span);
    }

    EntityUid known_action(EntityUid uid, SourceSpan span)
    {
        if (!actions_.contains(uid))
            problem(span, "there is no action `" + to_string(uid) + "`");
        return uid;
    }

    void close_entity_types()
    {
        // An entity type may be in itself, so cycles are fine; the closure is found by growing until nothing changes.
        for (bool has_grown = true; has_grown;) {
            has_grown = false;
            for (auto& [name, type] : schema_.entity_types_) {
                auto const before = type.ancestors.size();
                for (auto const& group : std::set<std::string>(type.ancestors))
                    if (auto const found = schema_.entity_types_.find(group); found != schema_.entity_types_.end())
                        type.ancestors.insert(found->second.ancestors.begin(), found->second.ancestors.end());
                has_grown = has_grown || type.ancestors.size() > before;
            }
        }
    }

    void close_actions()
    {
        for (bool has_grown = true; has_grown;) {
            has_grown = false;
            for (auto& [uid, action] : schema_.actions_) {
                auto const before = action.ancestors.size();
                for (auto const& group : std::set<EntityUid>(action.ancestors))
                    if (auto const found = schema_.actions_.find(group); found != schema_.actions_.end())
                        action.ancestors.insert(found->second.ancestors.begin(), found->second.ancestors.end());
                has_grown = has_grown || action.ancestors.size() > before;
            }
        }
        for (auto const& [uid, action] : schema_.actions_)
            if (action.ancestors.contains(uid))
                problem({}, "action `" + to_string(uid) + "` is in itself");
    }

    std::vector<SchemaSyntax> const& syntax_;
    std::vector<SyntaxProblem>& problems_;
    std::map<std::string, Common> commons_;
    std::set<std::string> entities_;
    std::set<EntityUid> actions_;
    int open_ = 0;
    Schema schema_;
};

std::optional<Schema> Schema::resolve(std::vector<SchemaSyntax> const& syntax, std::vector<SyntaxProblem>& problems)
{
    auto const before = problems.size();
    auto schema = SchemaResolver(syntax, problems).run();
    return problems.size() == before ? std::optional(std::move(schema)) : std::nullopt;
}

std::optional<Schema> Schema::parse(std::vector<PolicySource> const& sources, std::vector<SyntaxProblem>& problems)
{
    auto const before = problems.size();
    std::vector<SchemaSyntax> syntax;
    for (auto const& source : sources)
        syntax.push_back(parse_schema_syntax(source, problems));
    if (problems.size() != before)
        return std::nullopt;
    auto schema = resolve(syntax, problems);
    for (auto i = before; i < problems.size(); ++i)
        if (problems[i].path.empty() && !sources.empty())
            problems[i].path = sources.front().path;
    return schema;
}

EntityTypeSchema const* Schema::entity_type(std::string_view name) const
{
    auto const found = entity_types_.find(name);
    return found == entity_types_.end() ? nullptr : &found->second;
}

ActionSchema const* Schema::action(EntityUid const& uid) const
{
    auto const found = actions_.find(uid);
    return found == actions_.end() ? nullptr : &found->second;
}

std::vector<Entity> Schema::action_entities() const
{
    std::vector<Entity> entities;
    for (auto const& [uid, action] : actions_)
        entities.push_back({ uid, {}, {}, { action.ancestors.begin(), action.ancestors.end() } });
    return entities;
}

} // namespace writ::cedar
