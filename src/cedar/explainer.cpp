// SPDX-License-Identifier: Apache-2.0
#include "cedar/explainer.h"

#include "cedar/printer.h"
#include "cedar/text.h"

#include <algorithm>

namespace writ::cedar {

namespace {

// LIMIT: a value shown in an explanation; a longer one is cut.
constexpr std::size_t shown_bytes_max = 200;

std::string shown(std::string text)
{
    if (text.size() <= shown_bytes_max)
        return text;
    auto length = shown_bytes_max;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
        --length;
    return text.substr(0, length) + "…";
}

std::string target(ScopeConstraint const& scope) { return scope.entities.empty() ? "nothing" : to_string(scope.entities.front()); }

std::string path(Expression const& has)
{
    auto text = to_string(has.children[0]);
    for (auto const& name : has.names())
        text += is_identifier(name) ? "." + name : "[" + quoted(name) + "]";
    return text;
}

// Whether an expression is the same for each request: then it is what is wanted, and the other side is the fact.
bool is_constant(Expression const& expression)
{
    return expression.op != Operator::variable && std::all_of(expression.children.begin(), expression.children.end(), is_constant);
}

} // namespace

std::string opposite(std::string const& wanted) { return wanted.starts_with("not ") ? wanted.substr(4) : "not " + wanted; }

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

// What of the scope does not match, or with `wants` false, what matches.
Facts Explainer::explain(ScopeConstraint const& scope, std::string_view variable, EntityUid const& entity, bool wants) const
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
Facts Explainer::explain(Expression const& expression, bool wants) const
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

Facts Explainer::every(Expression const& expression, bool wants) const
{
    Facts facts;
    for (auto const& child : expression.children)
        merge(facts, explain(child, wants));
    return facts;
}

Facts Explainer::reasons(Expression const& expression) const
{
    auto const value = evaluator_.holds(expression);
    if (value.is_error())
        return {};
    Facts facts;
    switch (expression.op) {
    case Operator::negation: return reasons(expression.children[0]);
    case Operator::all:
    case Operator::any:
        // Only what came out as the whole did made it so; what was not reached had no part in it, but says the same.
        for (auto const& child : expression.children)
            if (auto const part = evaluator_.holds(child); part.is_ok() && *part == *value)
                merge(facts, reasons(child));
        return facts;
    case Operator::if_then_else:
        facts = reasons(expression.children[0]);
        merge(facts, reasons(expression.children[*evaluator_.holds(expression.children[0]) ? 1 : 2]));
        return facts;
    default: break;
    }
    auto fact = atom(expression, !*value);
    fact.wanted = opposite(fact.wanted);
    return { std::move(fact) };
}

// One of the children would do: those about one fact are joined, else the one that lacks least.
Facts Explainer::nearest(Expression const& expression, bool wants) const
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

Facts Explainer::conditional(Expression const& expression, bool wants) const
{
    auto const chosen = evaluator_.holds(expression.children[0]);
    if (chosen.is_error())
        return explain(expression.children[0], true);
    return explain(expression.children[*chosen ? 1 : 2], wants);
}

MissingFact Explainer::atom(Expression const& expression, bool wants) const
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
    case Operator::like: return { to_string(expression.children[0]), found(expression.children[0]), no + "like \"" + pattern_text(expression.pattern()) + "\"" };
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

std::string Explainer::found(Expression const& expression) const
{
    auto const value = evaluator_.evaluate(expression);
    return value.is_ok() ? shown(to_string(*value)) : "absent";
}

MissingFact Explainer::equality(Expression const& expression, std::string const& no) const
{
    bool const is_turned = is_constant(expression.children[0]);
    auto const& fact = expression.children[is_turned ? 1 : 0];
    return { to_string(fact), found(fact), no + found(expression.children[is_turned ? 0 : 1]) };
}

MissingFact Explainer::comparison(Expression const& expression, std::string sign) const
{
    bool const is_turned = is_constant(expression.children[0]);
    if (is_turned)
        std::replace_if(
            sign.begin(), sign.end(), [](char c) { return c == '<' || c == '>'; }, sign.find('<') != std::string::npos ? '>' : '<');
    auto const& fact = expression.children[is_turned ? 1 : 0];
    return { to_string(fact), found(fact), sign + found(expression.children[is_turned ? 0 : 1]) };
}

MissingFact Explainer::membership(Expression const& expression, std::string const& no) const
{
    auto const& object = expression.children[0];
    auto const value = evaluator_.evaluate(object);
    auto const* const uid = value.is_ok() ? std::get_if<EntityUid>(&value->storage()) : nullptr;
    if (expression.op == Operator::is && (uid == nullptr || expression.children.size() == 1 || uid->type != expression.name()))
        return { to_string(object), found(object), no + "of type " + expression.name() };
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
MissingFact Explainer::in_fact(std::string const& name, EntityUid const& entity, std::vector<EntityUid> const& wanted, std::string const& no) const
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

std::vector<EntityUid> Explainer::ancestors(EntityUid const& entity) const
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

MissingFact Explainer::containment(Expression const& expression, std::string const& no) const
{
    auto const& object = expression.children[0];
    auto const& argument = expression.children[1];
    // `["train", "evaluate"].contains(context.purpose)` asks for a purpose.
    if (expression.op == Operator::contains && is_constant(object))
        return { to_string(argument), found(argument), no + "one of " + found(object) };
    char const* const how = expression.op == Operator::contains ? "with " : expression.op == Operator::contains_all ? "with all of " : "with any of ";
    return { to_string(object), found(object), no + how + found(argument) };
}

MissingFact Explainer::call(Expression const& expression, std::string const& no) const
{
    if (expression.children.size() != 2)
        return { to_string(expression), found(expression), no + "true" };
    struct Sign {
        std::string_view method, sign;
    };
    static constexpr std::array<Sign, 5> signs { { { "lessThan", "< " }, { "lessThanOrEqual", "<= " }, { "greaterThan", "> " }, { "greaterThanOrEqual", ">= " },
        { "isInRange", "in range " } } };
    auto const* const sign = std::find_if(signs.begin(), signs.end(), [&](Sign const& s) { return s.method == expression.name(); });
    auto const words = sign == signs.end() ? expression.name() + " " : std::string(sign->sign);
    return { to_string(expression.children[0]), found(expression.children[0]), no + words + found(expression.children[1]) };
}

} // namespace writ::cedar
