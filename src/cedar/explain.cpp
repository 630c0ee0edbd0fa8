// SPDX-License-Identifier: Apache-2.0
//
// Why a request is denied, in facts. An expression that should have been true (or false) is taken apart to the comparisons that decided it.
#include "cedar/authorizer.h"
#include "cedar/evaluator.h"
#include "cedar/printer.h"
#include "cedar/text.h"

#include <algorithm>

namespace writ::cedar {

namespace {

// LIMIT: a value shown in an explanation; a longer one is cut.
constexpr std::size_t shown_bytes_max = 200;
constexpr std::size_t facts_per_policy_max = 3;

using Facts = std::vector<MissingFact>;

std::string shown(std::string text)
{
    if (text.size() <= shown_bytes_max)
        return text;
    auto length = shown_bytes_max;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
        --length;
    return text.substr(0, length) + "…";
}

void merge(Facts& facts, Facts const& more)
{
    for (auto const& fact : more) {
        auto const known = std::find_if(facts.begin(), facts.end(), [&](MissingFact const& f) { return f.fact == fact.fact; });
        if (known == facts.end())
            facts.push_back(fact);
        else if (known->wanted == "present")
            *known = fact;
    }
}

class Explainer {
public:
    Explainer(Request const& request, EntityStore const& entities)
        : entities_(entities)
        , evaluator_(request, entities)
    {
    }

    // What of the scope does not match, or with `wants` false, what matches.
    Facts explain(ScopeConstraint const& scope, std::string_view variable, EntityUid const& entity, bool wants)
    {
        if (evaluator_.matches(scope, entity) == wants)
            return {};
        std::string const name(variable);
        std::string const no = wants ? "" : "not ";
        switch (scope.kind) {
        case ScopeConstraint::Kind::any: return {};
        case ScopeConstraint::Kind::equal: return { { name, to_string(entity), no + target(scope) } };
        case ScopeConstraint::Kind::is: return { { name, to_string(entity), no + "of type " + scope.type } };
        case ScopeConstraint::Kind::is_in:
            if (entity.type != scope.type)
                return { { name, to_string(entity), no + "of type " + scope.type } };
            return { in_fact(name, entity, scope.entities, no) };
        default: return { in_fact(name, entity, scope.entities, no) };
        }
    }

    // Why `expression` is not `wants`.
    Facts explain(Expression const& expression, bool wants)
    {
        auto const value = evaluator_.holds(expression);
        if (value.is_ok() && *value == wants)
            return {};
        switch (expression.op) {
        case Operator::negation: return explain(expression.children[0], !wants);
        case Operator::all: return wants ? every(expression, wants) : nearest(expression, wants);
        case Operator::any: return wants ? nearest(expression, wants) : every(expression, wants);
        case Operator::if_then_else: return conditional(expression, wants);
        default: return { atom(expression, wants) };
        }
    }

private:
    static std::string target(ScopeConstraint const& scope) { return scope.entities.empty() ? "nothing" : to_string(scope.entities.front()); }

    Facts every(Expression const& expression, bool wants)
    {
        Facts facts;
        for (auto const& child : expression.children)
            merge(facts, explain(child, wants));
        return facts;
    }

    // One of the children would do: those about one fact are joined, else the one that lacks least.
    Facts nearest(Expression const& expression, bool wants)
    {
        std::vector<Facts> ways;
        for (auto const& child : expression.children)
            if (auto facts = explain(child, wants); !facts.empty())
                ways.push_back(std::move(facts));
        if (ways.empty())
            return {};
        auto const is_same_fact = [&](Facts const& way) { return way.size() == 1 && way[0].fact == ways[0][0].fact; };
        if (ways.size() > 1 && wants && std::all_of(ways.begin(), ways.end(), is_same_fact)) {
            auto joined = ways[0][0];
            joined.wanted = "one of [";
            for (auto const& way : ways)
                joined.wanted += (&way == ways.data() ? "" : ", ") + way[0].wanted;
            joined.wanted = shown(joined.wanted + "]");
            return { joined };
        }
        // That a value is there at all says less than what it is.
        auto const says_little = [](Facts const& way) { return way[0].wanted.ends_with("present"); };
        return *std::min_element(ways.begin(), ways.end(),
            [&](Facts const& a, Facts const& b) { return std::pair(says_little(a), a.size()) < std::pair(says_little(b), b.size()); });
    }

    Facts conditional(Expression const& expression, bool wants)
    {
        auto const chosen = evaluator_.holds(expression.children[0]);
        if (chosen.is_error())
            return explain(expression.children[0], true);
        return explain(expression.children[*chosen ? 1 : 2], wants);
    }

    MissingFact atom(Expression const& expression, bool wants)
    {
        std::string const no = wants ? "" : "not ";
        switch (expression.op) {
        case Operator::equal: return equality(expression, no);
        case Operator::not_equal: return equality(expression, wants ? "not " : "");
        case Operator::less: return comparison(expression, no + "< ");
        case Operator::less_equal: return comparison(expression, no + "<= ");
        case Operator::greater: return comparison(expression, no + "> ");
        case Operator::greater_equal: return comparison(expression, no + ">= ");
        case Operator::has_attribute: return { path(expression), wants ? "absent" : "present", wants ? "present" : "not present" };
        case Operator::has_tag: return { to_string(expression), wants ? "absent" : "present", wants ? "present" : "not present" };
        case Operator::like: return { to_string(expression.children[0]), found(expression.children[0]), no + "like \"" + pattern_text(expression.pattern) + "\"" };
        case Operator::is:
        case Operator::in: return membership(expression, no);
        case Operator::contains:
        case Operator::contains_all:
        case Operator::contains_any: return containment(expression, no);
        case Operator::is_empty: return { to_string(expression.children[0]), found(expression.children[0]), no + "empty" };
        case Operator::call: return call(expression, no);
        default: return { to_string(expression), found(expression), wants ? "true" : "not true" };
        }
    }

    [[nodiscard]] std::string found(Expression const& expression) const
    {
        auto const value = evaluator_.evaluate(expression);
        return value.is_ok() ? shown(to_string(*value)) : "absent";
    }

    static std::string path(Expression const& has)
    {
        auto text = to_string(has.children[0]);
        for (auto const& name : has.names)
            text += is_identifier(name) ? "." + name : "[" + quoted(name) + "]";
        return text;
    }

    // Whether an expression is the same for each request: then it is what is wanted, and the other side is the fact.
    static bool is_constant(Expression const& expression)
    {
        return expression.op != Operator::variable && std::all_of(expression.children.begin(), expression.children.end(), is_constant);
    }

    MissingFact equality(Expression const& expression, std::string const& no)
    {
        bool const is_turned = is_constant(expression.children[0]);
        auto const& fact = expression.children[is_turned ? 1 : 0];
        return { to_string(fact), found(fact), no + found(expression.children[is_turned ? 0 : 1]) };
    }

    MissingFact comparison(Expression const& expression, std::string sign)
    {
        bool const is_turned = is_constant(expression.children[0]);
        if (is_turned)
            std::replace_if(
                sign.begin(), sign.end(), [](char c) { return c == '<' || c == '>'; }, sign.find('<') != std::string::npos ? '>' : '<');
        auto const& fact = expression.children[is_turned ? 1 : 0];
        return { to_string(fact), found(fact), sign + found(expression.children[is_turned ? 0 : 1]) };
    }

    MissingFact membership(Expression const& expression, std::string const& no)
    {
        auto const& object = expression.children[0];
        auto const value = evaluator_.evaluate(object);
        auto const* const uid = value.is_ok() ? std::get_if<EntityUid>(&value->storage()) : nullptr;
        if (expression.op == Operator::is && (uid == nullptr || expression.children.size() == 1 || uid->type != expression.name))
            return { to_string(object), found(object), no + "of type " + expression.name };
        auto const groups = evaluator_.evaluate(expression.children[1]);
        if (uid == nullptr || groups.is_error())
            return { to_string(object) + " in " + to_string(expression.children[1]), "absent", no + found(expression.children[1]) };
        std::vector<EntityUid> wanted;
        if (auto const* const group = std::get_if<EntityUid>(&groups->storage()))
            wanted.push_back(*group);
        if (auto const* const set = std::get_if<std::shared_ptr<Set const>>(&groups->storage()))
            for (auto const& element : **set)
                if (auto const* const group = std::get_if<EntityUid>(&element.storage()))
                    wanted.push_back(*group);
        return in_fact(to_string(object), *uid, wanted, no);
    }

    // `principal in Team`: the groups of the wanted type that the entity is in.
    [[nodiscard]] MissingFact in_fact(std::string const& name, EntityUid const& entity, std::vector<EntityUid> const& wanted, std::string const& no) const
    {
        std::string const type = wanted.empty() ? "" : " in " + wanted.front().type;
        std::string text;
        for (auto const& group : wanted)
            text += (text.empty() ? "" : ", ") + to_string(group);
        std::string groups;
        for (auto const& group : ancestors(entity))
            if (!wanted.empty() && group.type == wanted.front().type)
                groups += (groups.empty() ? "" : ", ") + to_string(group);
        if (!wanted.empty() && wanted.front().type == entity.type && groups.empty())
            groups = to_string(entity);
        bool const many = wanted.size() != 1;
        return { name + type, groups.empty() ? "absent" : shown(groups), shown(no + (many ? "one of [" + text + "]" : text)) };
    }

    [[nodiscard]] std::vector<EntityUid> ancestors(EntityUid const& entity) const
    {
        std::vector<EntityUid> all { entity };
        for (std::size_t i = 0; i < all.size(); ++i)
            if (auto const* const known = entities_.find(all[i]))
                for (auto const& parent : known->parents)
                    if (std::find(all.begin(), all.end(), parent) == all.end())
                        all.push_back(parent);
        all.erase(all.begin());
        std::sort(all.begin(), all.end());
        return all;
    }

    MissingFact containment(Expression const& expression, std::string const& no)
    {
        auto const& object = expression.children[0];
        auto const& argument = expression.children[1];
        // `["train", "evaluate"].contains(context.purpose)` asks for a purpose.
        if (expression.op == Operator::contains && is_constant(object))
            return { to_string(argument), found(argument), no + "one of " + found(object) };
        char const* const how = expression.op == Operator::contains ? "with " : expression.op == Operator::contains_all ? "with all of " : "with any of ";
        return { to_string(object), found(object), no + how + found(argument) };
    }

    MissingFact call(Expression const& expression, std::string const& no)
    {
        if (expression.children.size() != 2)
            return { to_string(expression), found(expression), no + "true" };
        struct Sign {
            std::string_view method, sign;
        };
        static constexpr std::array<Sign, 5> signs { { { "lessThan", "< " }, { "lessThanOrEqual", "<= " }, { "greaterThan", "> " }, { "greaterThanOrEqual", ">= " },
            { "isInRange", "in range " } } };
        auto const* const sign = std::find_if(signs.begin(), signs.end(), [&](Sign const& s) { return s.method == expression.name; });
        auto const words = sign == signs.end() ? expression.name + " " : std::string(sign->sign);
        return { to_string(expression.children[0]), found(expression.children[0]), no + words + found(expression.children[1]) };
    }

    EntityStore const& entities_;
    Evaluator evaluator_;
};

struct Lack {
    std::size_t order = 0;
    std::size_t scope_failures = 0;
    bool is_other_action = false;
    Facts facts;
};

Lack lack_of(Policy const& policy, Request const& request, EntityStore const& entities, bool wants, std::size_t order)
{
    Explainer explainer(request, entities);
    Lack lack { .order = order };
    merge(lack.facts, explainer.explain(policy.action, "action", request.action, wants));
    lack.is_other_action = !lack.facts.empty();
    merge(lack.facts, explainer.explain(policy.resource, "resource", request.resource, wants));
    merge(lack.facts, explainer.explain(policy.principal, "principal", request.principal, wants));
    lack.scope_failures = lack.facts.size();
    for (auto const& condition : policy.conditions)
        merge(lack.facts, explainer.explain(condition.body, wants != condition.is_unless));
    return lack;
}

Facts facts_of_forbids(Request const& request, PolicySet const& policies, EntityStore const& entities)
{
    Facts facts;
    Evaluator const evaluator(request, entities);
    for (auto const& policy : policies.policies()) {
        auto const satisfied = evaluator.satisfied(*policy);
        if (policy->effect != Effect::forbid || satisfied.is_error() || !*satisfied)
            continue;
        auto lack = lack_of(*policy, request, entities, false, 0);
        // Of a forbid with conditions these tell more than whom it is for.
        if (!policy->conditions.empty() && lack.facts.size() > lack.scope_failures)
            lack.facts.erase(lack.facts.begin(), lack.facts.begin() + static_cast<std::ptrdiff_t>(lack.scope_failures));
        if (lack.facts.empty())
            lack.facts.push_back({ "action", to_string(request.action), "not any action" });
        lack.facts.resize(std::min(lack.facts.size(), facts_per_policy_max), MissingFact {});
        merge(facts, lack.facts);
    }
    return facts;
}

} // namespace

std::vector<MissingFact> explain_denial(Request const& request, PolicySet const& policies, EntityStore const& entities, std::size_t permits_max)
{
    if (decide(request, policies, entities).allowed)
        return {};
    if (auto facts = facts_of_forbids(request, policies, entities); !facts.empty())
        return facts;
    std::vector<Lack> lacks;
    for (auto const& policy : policies.policies())
        if (policy->effect == Effect::permit)
            lacks.push_back(lack_of(*policy, request, entities, true, lacks.size()));
    std::sort(lacks.begin(), lacks.end(), [](Lack const& a, Lack const& b) {
        return std::tuple(a.is_other_action, a.scope_failures, a.facts.size(), a.order) < std::tuple(b.is_other_action, b.scope_failures, b.facts.size(), b.order);
    });
    Facts facts;
    for (std::size_t i = 0; i < std::min(permits_max, lacks.size()); ++i) {
        lacks[i].facts.resize(std::min(lacks[i].facts.size(), facts_per_policy_max), MissingFact {});
        merge(facts, lacks[i].facts);
    }
    return facts;
}

} // namespace writ::cedar
