// SPDX-License-Identifier: Apache-2.0
#include "cedar/validator.h"

#include "cedar/printer.h"
#include "cedar/text.h"
#include "cedar/typechecker.h"

#include <algorithm>

namespace writ::cedar {

namespace {

bool is_action_type(std::string_view type) { return type == "Action" || type.ends_with("::Action"); }

std::string no_type(std::string const& type, Schema const& schema)
{
    std::vector<std::string> names;
    for (auto const& [name, unused] : schema.entity_types())
        names.push_back(name);
    return "there is no entity type `" + type + "`" + suggestion(type, names);
}

std::string no_action(EntityUid const& uid, Schema const& schema)
{
    std::vector<std::string> names;
    for (auto const& [known, unused] : schema.actions())
        names.push_back(to_string(known));
    return "there is no action `" + to_string(uid) + "`" + suggestion(to_string(uid), names);
}

std::string list_of(std::set<std::string> const& types)
{
    std::string list;
    for (auto const& type : types)
        list += (list.empty() ? "`" : ", `") + type + "`";
    return list.empty() ? "none" : list;
}

class PolicyValidator {
public:
    PolicyValidator(Policy const& policy, Schema const& schema, ValidationMode mode)
        : policy_(policy)
        , schema_(schema)
        , mode_(mode)
    {
    }

    std::vector<ValidationProblem> run()
    {
        for (auto const* constraint : { &policy_.principal, &policy_.action, &policy_.resource })
            check_names(*constraint);
        for (auto const& condition : policy_.conditions)
            check_names(condition.body);
        check_application();
        for (auto const& [uid, action] : schema_.actions())
            for (auto const& principal : action.principals)
                for (auto const& resource : action.resources) {
                    RequestKind const kind { principal, &action, resource };
                    Typechecker(schema_, mode_, kind, [this](SourceSpan span, std::string message) { report(span, std::move(message)); }).check(policy_);
                }
        return std::move(problems_);
    }

private:
    // The same problem shows for many kinds of request.
    void report(SourceSpan span, std::string message)
    {
        if (seen_.emplace(span.begin, span.end, message).second)
            problems_.push_back({ policy_.id, policy_.path, span, std::move(message) });
    }

    void check_type(std::string const& type, SourceSpan span)
    {
        bool const is_known = is_action_type(type)
            ? std::any_of(schema_.actions().begin(), schema_.actions().end(), [&](auto const& entry) { return entry.first.type == type; })
            : schema_.entity_type(type) != nullptr;
        if (is_known)
            return;
        report(span, no_type(type, schema_));
    }

    void check_entity(EntityUid const& uid, SourceSpan span)
    {
        check_type(uid.type, span);
        if (is_action_type(uid.type) && schema_.action(uid) == nullptr)
            report(span, no_action(uid, schema_));
        auto const* const type = schema_.entity_type(uid.type);
        if (type != nullptr && type->is_enumerated && !type->choices.contains(uid.id))
            report(span, "`" + to_string(uid) + "` is none of the choices of `" + uid.type + "`" + suggestion(uid.id, { type->choices.begin(), type->choices.end() }));
    }

    void check_names(ScopeConstraint const& constraint)
    {
        if (!constraint.type.empty())
            check_type(constraint.type, constraint.span);
        for (auto const& uid : constraint.entities)
            check_entity(uid, constraint.span);
    }

    void check_names(Expression const& expression)
    {
        if (expression.op == Operator::literal)
            if (auto const* const uid = std::get_if<EntityUid>(&expression.value().storage()))
                check_entity(*uid, expression.span);
        if (expression.op == Operator::is)
            check_type(expression.name(), expression.span);
        for (auto const& child : expression.children)
            check_names(child);
    }

    // There must be an action in scope that some principal in scope can do to some resource in scope.
    void check_application()
    {
        auto const fits = [&](ScopeConstraint const& constraint, std::set<std::string> const& types) {
            return std::any_of(types.begin(), types.end(), [&](auto const& type) { return may_match(constraint, type); });
        };
        bool const is_possible = std::any_of(schema_.actions().begin(), schema_.actions().end(), [&](auto const& entry) {
            return may_match(entry.second) && fits(policy_.principal, entry.second.principals) && fits(policy_.resource, entry.second.resources);
        });
        if (!is_possible)
            report(policy_.span, "no action in this scope applies to such a principal and resource");
    }

    [[nodiscard]] bool may_match(ScopeConstraint const& constraint, std::string const& type) const
    {
        using Kind = ScopeConstraint::Kind;
        auto const* const known = schema_.entity_type(type);
        auto const may_be_in = [&](std::string const& group) { return type == group || (known != nullptr && known->ancestors.contains(group)); };
        auto const wants = [&](Kind kind) { return constraint.kind == kind; };
        if ((wants(Kind::is) || wants(Kind::is_in)) && constraint.type != type)
            return false;
        if (constraint.is_slot || wants(Kind::any) || wants(Kind::is))
            return true;
        auto const& target = constraint.entities.front().type;
        return wants(Kind::equal) ? type == target : may_be_in(target);
    }

    [[nodiscard]] bool may_match(ActionSchema const& action) const
    {
        using Kind = ScopeConstraint::Kind;
        auto const& scope = policy_.action;
        if (scope.kind == Kind::any)
            return true;
        if (scope.kind == Kind::equal)
            return action.uid == scope.entities.front();
        bool const all_known = std::all_of(scope.entities.begin(), scope.entities.end(), [&](EntityUid const& uid) { return schema_.action(uid) != nullptr; });
        return all_known && std::any_of(scope.entities.begin(), scope.entities.end(), [&](EntityUid const& uid) {
            return uid == action.uid || action.ancestors.contains(uid);
        });
    }

    Policy const& policy_;
    Schema const& schema_;
    ValidationMode mode_;
    std::vector<ValidationProblem> problems_;
    std::set<std::tuple<std::size_t, std::size_t, std::string>> seen_;
};

// Entities named by enumerated types within a value must be among the choices.
Result<> check_choices(Value const& value, Schema const& schema)
{
    if (auto const* const uid = std::get_if<EntityUid>(&value.storage())) {
        auto const* const type = schema.entity_type(uid->type);
        if (type != nullptr && type->is_enumerated && !type->choices.contains(uid->id))
            return invalid_argument("`" + to_string(*uid) + "` is none of the choices of `" + uid->type + "`"
                + suggestion(uid->id, { type->choices.begin(), type->choices.end() }));
        if (is_action_type(uid->type) && schema.action(*uid) == nullptr)
            return invalid_argument(no_action(*uid, schema));
    }
    if (auto const* const set = std::get_if<std::shared_ptr<Set const>>(&value.storage()))
        for (auto const& element : **set)
            TRY(check_choices(element, schema));
    if (auto const* const record = std::get_if<std::shared_ptr<Record const>>(&value.storage()))
        for (auto const& [name, member] : **record)
            TRY(check_choices(member, schema));
    return {};
}

Result<> check_attribute(std::string const& name, Value const& value, Type const& type, Schema const& schema)
{
    if (!has_type(value, type))
        return invalid_argument("attribute `" + name + "`: expected " + to_string(type) + ", found " + to_string(value).substr(0, 100));
    return check_choices(value, schema).in("attribute `" + name + "`");
}

Result<> check_attributes(Record const& record, Attributes const& attributes, Schema const& schema)
{
    for (auto const& [name, value] : record) {
        auto const attribute = attributes.find(name);
        if (attribute == attributes.end()) {
            std::vector<std::string> known;
            for (auto const& [other, unused] : attributes)
                known.push_back(other);
            return invalid_argument("attribute `" + name + "` is not in the schema" + suggestion(name, known));
        }
        TRY(check_attribute(name, value, *attribute->second.type, schema));
    }
    for (auto const& [name, attribute] : attributes)
        if (attribute.is_required && !record.contains(name))
            return invalid_argument("attribute `" + name + "` is missing");
    return {};
}

Result<> check_known(EntityUid const& uid, Schema const& schema)
{
    auto const* const type = schema.entity_type(uid.type);
    if (type == nullptr)
        return invalid_argument(no_type(uid.type, schema));
    return check_choices(Value(uid), schema);
}

Result<> validate_action_entity(Entity const& entity, Schema const& schema)
{
    auto const* const action = schema.action(entity.uid);
    if (action == nullptr)
        return invalid_argument(no_action(entity.uid, schema));
    // Groups may be named in full or only the nearest.
    std::set<EntityUid> groups(entity.parents.begin(), entity.parents.end());
    for (auto const& parent : entity.parents)
        if (auto const* const known = schema.action(parent))
            groups.insert(known->ancestors.begin(), known->ancestors.end());
    if (!entity.attributes.empty() || !entity.tags.empty() || groups != action->ancestors)
        return invalid_argument("action `" + to_string(entity.uid) + "` is not as the schema declares it");
    return {};
}

} // namespace

std::vector<ValidationProblem> validate(Policy const& policy, Schema const& schema, ValidationMode mode) { return PolicyValidator(policy, schema, mode).run(); }

std::vector<ValidationProblem> validate(PolicySet const& policies, Schema const& schema, ValidationMode mode)
{
    std::vector<ValidationProblem> problems;
    for (auto const* set : { &policies.policies(), &policies.templates() })
        for (auto const& policy : *set)
            for (auto& problem : validate(*policy, schema, mode))
                problems.push_back(std::move(problem));
    return problems;
}

Result<> validate_entity(Entity const& entity, Schema const& schema)
{
    auto const context = "entity `" + to_string(entity.uid) + "`";
    if (is_action_type(entity.uid.type))
        return validate_action_entity(entity, schema).in(context);
    TRY(check_known(entity.uid, schema).in(context));
    auto const& type = *schema.entity_type(entity.uid.type);
    for (auto const& parent : entity.parents)
        if (!type.ancestors.contains(parent.type))
            return invalid_argument(context + " must not be in `" + to_string(parent) + "`: expected " + list_of(type.ancestors));
    TRY(check_attributes(entity.attributes, type.attributes, schema).in(context));
    for (auto const& [name, value] : entity.tags) {
        if (type.tags == nullptr)
            return invalid_argument(context + " has tags; its type has none");
        TRY(check_attribute(name, value, *type.tags, schema).in("tag of " + context));
    }
    return {};
}

Result<> validate_request(Request const& request, Schema const& schema)
{
    auto const* const action = schema.action(request.action);
    if (action == nullptr)
        return invalid_argument(no_action(request.action, schema));
    TRY(check_known(request.principal, schema).in("principal"));
    TRY(check_known(request.resource, schema).in("resource"));
    if (!action->principals.contains(request.principal.type))
        return invalid_argument("`" + to_string(request.action) + "` is not for a principal of type `" + request.principal.type + "`: expected " + list_of(action->principals));
    if (!action->resources.contains(request.resource.type))
        return invalid_argument("`" + to_string(request.action) + "` is not for a resource of type `" + request.resource.type + "`: expected " + list_of(action->resources));
    return check_attributes(request.context, action->context->attributes, schema).in("context");
}

} // namespace writ::cedar
