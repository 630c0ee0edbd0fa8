// SPDX-License-Identifier: Apache-2.0
#include "cedar/policy_json.h"

#include "cedar/expression_json.h"
#include "cedar/text.h"
#include "cedar/value_json.h"

#include <algorithm>
#include <set>

namespace writ::cedar {

namespace {

using Kind = ScopeConstraint::Kind;

JsonObject scope_json(ScopeConstraint const& scope, std::string_view variable)
{
    auto const target = [&](JsonObject& object) {
        if (scope.is_slot)
            object.emplace("slot", "?" + std::string(variable));
        else
            object.emplace("entity", to_json(scope.entities.front()));
    };
    JsonObject object;
    switch (scope.kind) {
    case Kind::any: object.emplace("op", "All"); return object;
    case Kind::equal: object.emplace("op", "=="); break;
    case Kind::in: object.emplace("op", "in"); break;
    case Kind::in_any: {
        JsonArray entities;
        for (auto const& uid : scope.entities)
            entities.push_back(to_json(uid));
        object.emplace("op", "in");
        object.emplace("entities", std::move(entities));
        return object;
    }
    case Kind::is:
    case Kind::is_in:
        object.emplace("op", "is");
        object.emplace("entity_type", scope.type);
        if (scope.kind == Kind::is_in) {
            JsonObject in;
            target(in);
            object.emplace("in", std::move(in));
        }
        return object;
    }
    target(object);
    return object;
}

Result<> parse_target(JsonObject const& object, std::string_view variable, ScopeConstraint& scope)
{
    if (object.contains("slot")) {
        if (TRY(string_member(object, "slot")) != "?" + std::string(variable) || variable == "action")
            return invalid_argument("wrong slot in the scope of `" + std::string(variable) + "`");
        scope.is_slot = true;
        return {};
    }
    auto const* const entity = object.if_contains("entity");
    if (entity == nullptr)
        return invalid_argument("the scope of `" + std::string(variable) + "` needs an `entity`");
    scope.entities.push_back(TRY(parse_uid_json(*entity)));
    return {};
}

Result<ScopeConstraint> parse_scope(JsonObject const& policy, char const* variable)
{
    auto const& object = *TRY(object_member(policy, variable));
    auto const op = TRY(string_member(object, "op"));
    ScopeConstraint scope;
    if (op == "All" || op == "all")
        return scope;
    if (op == "is") {
        scope.type = TRY(string_member(object, "entity_type"));
        scope.kind = object.contains("in") ? Kind::is_in : Kind::is;
        if (!is_name(scope.type))
            return invalid_argument("`" + scope.type + "` is no entity type");
        if (scope.kind == Kind::is_in)
            TRY(parse_target(*TRY(object_member(object, "in")), variable, scope));
        return scope;
    }
    if (op != "==" && op != "in")
        return invalid_argument("unknown `op` in the scope of `" + std::string(variable) + "`");
    scope.kind = op == "==" ? Kind::equal : Kind::in;
    if (op == "in" && object.contains("entities")) {
        scope.kind = Kind::in_any;
        for (auto const& entity : *TRY(array_member(object, "entities")))
            scope.entities.push_back(TRY(parse_uid_json(entity)));
        return scope;
    }
    TRY(parse_target(object, variable, scope));
    return scope;
}

Result<> check_action(ScopeConstraint const& scope)
{
    if (scope.kind == Kind::is || scope.kind == Kind::is_in)
        return invalid_argument("an action's scope has no `is`");
    for (auto const& uid : scope.entities)
        if (uid.type != "Action" && !uid.type.ends_with("::Action"))
            return invalid_argument("`" + to_string(uid) + "` is no action: its type must be `Action`");
    return {};
}

// What is misspelt must not pass for absent.
Result<> allow_only(JsonObject const& object, std::initializer_list<std::string_view> names, std::string_view what)
{
    for (auto const& member : object)
        if (std::find(names.begin(), names.end(), std::string_view(member.key())) == names.end())
            return invalid_argument(std::string(what) + " has no member `" + std::string(member.key()).substr(0, 60) + "`");
    return {};
}

Result<> parse_conditions(JsonObject const& object, Policy& policy)
{
    for (auto const& json : *TRY(array_member(object, "conditions"))) {
        if (!json.is_object())
            return invalid_argument("a condition must be an object");
        TRY(allow_only(json.as_object(), { "kind", "body" }, "a condition"));
        auto const kind = TRY(string_member(json.as_object(), "kind"));
        if (kind != "when" && kind != "unless")
            return invalid_argument("a condition's `kind` must be `when` or `unless`");
        auto const* const body = json.as_object().if_contains("body");
        if (body == nullptr)
            return invalid_argument("a condition needs a `body`");
        Condition condition;
        condition.is_unless = kind == "unless";
        condition.body = TRY(parse_expression_json(*body));
        policy.conditions.push_back(std::move(condition));
    }
    return {};
}

Result<> parse_annotations(JsonObject const& object, Policy& policy)
{
    if (!object.contains("annotations"))
        return {};
    for (auto const& member : *TRY(object_member(object, "annotations"))) {
        if (!is_identifier(std::string_view(member.key())))
            return invalid_argument("`" + std::string(member.key()) + "` is no annotation's name");
        auto const& value = member.value();
        if (!value.is_string() && !value.is_null())
            return invalid_argument("annotation `" + std::string(member.key()) + "` must be a string");
        policy.annotations.push_back({ std::string(member.key()), value.is_string() ? std::string(value.as_string()) : "", {} });
    }
    return {};
}

Result<std::optional<EntityUid>> slot_value(JsonObject const& values, char const* slot)
{
    auto const* const value = values.if_contains(slot);
    if (value == nullptr)
        return std::optional<EntityUid> {};
    return std::optional<EntityUid>(TRY(parse_uid_json(*value)));
}

class SetReader {
public:
    Result<PolicySet> read(JsonObject const& object)
    {
        TRY(allow_only(object, { "staticPolicies", "templates", "templateLinks" }, "a policy set"));
        for (char const* const part : { "staticPolicies", "templates" })
            for (auto const& member : *TRY(object_member(object, part)))
                TRY(add(std::string(member.key()), member.value(), std::string_view(part) == "templates"));
        for (auto const& json : *TRY(array_member(object, "templateLinks")))
            TRY(add_link(json));
        return PolicySet::of(std::move(policies_));
    }

private:
    Result<> add(std::string id, JsonValue const& json, bool is_template)
    {
        auto policy = TRY(parse_policy_json(json).in("policy `" + id + "`"));
        if (policy.is_template() != is_template)
            return invalid_argument("policy `" + id + "` " + (is_template ? "has no slot" : "has a slot: it is a template"));
        policy.id = std::move(id);
        return place(std::move(policy));
    }

    Result<> add_link(JsonValue const& json)
    {
        if (!json.is_object())
            return invalid_argument("a template's link must be an object");
        auto const& object = json.as_object();
        TRY(allow_only(object, { "templateId", "newId", "values" }, "a template's link"));
        std::string const name(TRY(string_member(object, "templateId")));
        std::string const id(TRY(string_member(object, "newId")));
        auto const& values = *TRY(object_member(object, "values"));
        TRY(allow_only(values, { "?principal", "?resource" }, "a template"));
        auto const principal = TRY(slot_value(values, "?principal"));
        auto const resource = TRY(slot_value(values, "?resource"));
        for (auto const& policy : policies_)
            if (policy->id == name && policy->is_template())
                return place(TRY(link(*policy, id, principal, resource)));
        return not_found("there is no template `" + name + "`");
    }

    Result<> place(Policy policy)
    {
        if (!ids_.insert(policy.id).second)
            return conflict("two policies are called `" + policy.id + "`");
        policies_.push_back(std::make_shared<Policy const>(std::move(policy)));
        return {};
    }

    std::vector<std::shared_ptr<Policy const>> policies_;
    std::set<std::string> ids_;
};

Result<> fill(ScopeConstraint& scope, std::optional<EntityUid> const& value, std::string_view slot)
{
    if (scope.is_slot != value.has_value())
        return invalid_argument("slot `?" + std::string(slot) + "` " + (scope.is_slot ? "is not filled" : "is not in the template"));
    if (value)
        scope.entities.assign(1, *value);
    scope.is_slot = false;
    return {};
}

Policy const* find_template(PolicySet const& set, std::string const& id)
{
    auto const& all = set.templates();
    auto const found = std::find_if(all.begin(), all.end(), [&](auto const& one) { return one->id == id; });
    return found == all.end() ? nullptr : found->get();
}

JsonObject link_json(Policy const& policy, Policy const& made_of)
{
    JsonObject values;
    if (made_of.principal.is_slot)
        values.emplace("?principal", to_json(policy.principal.entities.front()));
    if (made_of.resource.is_slot)
        values.emplace("?resource", to_json(policy.resource.entities.front()));
    return { { "templateId", made_of.id }, { "newId", policy.id }, { "values", std::move(values) } };
}

} // namespace

JsonValue to_json(Policy const& policy)
{
    JsonObject object { { "effect", policy.effect == Effect::permit ? "permit" : "forbid" }, { "principal", scope_json(policy.principal, "principal") },
        { "action", scope_json(policy.action, "action") }, { "resource", scope_json(policy.resource, "resource") } };
    JsonArray conditions;
    for (auto const& condition : policy.conditions)
        conditions.push_back(JsonObject { { "kind", condition.is_unless ? "unless" : "when" }, { "body", to_json(condition.body) } });
    object.emplace("conditions", std::move(conditions));
    if (!policy.annotations.empty()) {
        JsonObject annotations;
        for (auto const& annotation : policy.annotations)
            annotations.emplace(annotation.name, annotation.value);
        object.emplace("annotations", std::move(annotations));
    }
    return object;
}

Result<Policy> parse_policy_json(JsonValue const& json)
{
    if (!json.is_object())
        return invalid_argument("a policy must be an object");
    auto const& object = json.as_object();
    TRY(allow_only(object, { "effect", "principal", "action", "resource", "conditions", "annotations" }, "a policy"));
    auto const effect = TRY(string_member(object, "effect"));
    if (effect != "permit" && effect != "forbid")
        return invalid_argument("`effect` must be `permit` or `forbid`");
    Policy policy;
    policy.effect = effect == "permit" ? Effect::permit : Effect::forbid;
    policy.principal = TRY(parse_scope(object, "principal"));
    policy.action = TRY(parse_scope(object, "action"));
    policy.resource = TRY(parse_scope(object, "resource"));
    TRY(check_action(policy.action));
    TRY(parse_conditions(object, policy));
    TRY(parse_annotations(object, policy));
    return policy;
}

JsonValue to_json(PolicySet const& set)
{
    JsonObject templates;
    for (auto const& policy : set.templates())
        templates.emplace(policy->id, to_json(*policy));
    JsonObject policies;
    JsonArray links;
    for (auto const& policy : set.policies()) {
        if (auto const* const made_of = policy->linked_from.empty() ? nullptr : find_template(set, policy->linked_from))
            links.push_back(link_json(*policy, *made_of));
        else
            policies.emplace(policy->id, to_json(*policy));
    }
    return JsonObject { { "staticPolicies", std::move(policies) }, { "templates", std::move(templates) }, { "templateLinks", std::move(links) } };
}

Result<PolicySet> parse_policy_set_json(JsonValue const& json)
{
    if (!json.is_object())
        return invalid_argument("a policy set must be an object");
    return SetReader().read(json.as_object());
}

Result<Policy> link(Policy const& policy_template, std::string id, std::optional<EntityUid> principal, std::optional<EntityUid> resource)
{
    auto linked = policy_template;
    linked.id = std::move(id);
    linked.linked_from = policy_template.id;
    TRY(fill(linked.principal, principal, "principal"));
    TRY(fill(linked.resource, resource, "resource"));
    return linked;
}

Result<PolicySet> link(PolicySet const& set, TemplateLink wanted)
{
    auto const* const made_of = find_template(set, wanted.template_id);
    if (made_of == nullptr)
        return not_found("there is no template `" + wanted.template_id + "`");
    auto all = set.policies();
    all.insert(all.end(), set.templates().begin(), set.templates().end());
    if (std::any_of(all.begin(), all.end(), [&](auto const& one) { return one->id == wanted.new_id; }))
        return conflict("two policies are called `" + wanted.new_id + "`");
    all.push_back(std::make_shared<Policy const>(TRY(link(*made_of, std::move(wanted.new_id), wanted.principal, wanted.resource))));
    return PolicySet::of(std::move(all));
}

} // namespace writ::cedar
