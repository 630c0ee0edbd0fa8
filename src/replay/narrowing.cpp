// SPDX-License-Identifier: Apache-2.0
#include "replay/narrowing.h"

#include "cedar/printer.h"
#include "cedar/text.h"

#include <algorithm>
#include <span>

namespace writ::replay {

namespace {

using cedar::Policy;
using cedar::ScopeConstraint;

std::string_view source_of(cedar::SourceSpan const& span, std::string_view text) { return text.substr(span.begin, span.end - span.begin); }

std::string list_of(std::vector<std::string> const& parts)
{
    std::string list;
    for (auto const& part : parts)
        list += (list.empty() ? "" : ", ") + part;
    return list;
}

// The permit's own scope stays where it says more than the subject does.
std::string principal_scope(Policy const& policy, Subject const& subject)
{
    if (subject.is_id)
        return "principal == " + to_string(cedar::EntityUid { "Workload", subject.name });
    if (policy.principal.kind == ScopeConstraint::Kind::any && subject.pipelines.size() == 1)
        return "principal in " + to_string(cedar::EntityUid { "Pipeline", *subject.pipelines.begin() });
    return to_string(policy.principal, "principal");
}

std::string action_scope(std::vector<std::string> const& actions)
{
    std::vector<std::string> uids;
    for (auto const& action : actions)
        uids.push_back(to_string(cedar::EntityUid { "Action", action }));
    return uids.size() == 1 ? "action == " + uids.front() : "action in [" + list_of(uids) + "]";
}

// Groups that the entity in the new scope was in, and may leave.
void add_membership(std::vector<std::string>& conditions, ScopeConstraint const& scope, std::string_view variable)
{
    if (scope.kind == ScopeConstraint::Kind::in || scope.kind == ScopeConstraint::Kind::is_in)
        conditions.push_back(std::string(variable) + " in " + to_string(scope.entities.front()));
}

std::string purpose_condition(std::vector<std::string> const& purposes)
{
    std::vector<std::string> texts;
    for (auto const& purpose : purposes)
        texts.push_back(cedar::quoted(purpose));
    return texts.size() == 1 ? "context.purpose == " + texts.front() : "[" + list_of(texts) + "].contains(context.purpose)";
}

std::string own_condition(Policy const& policy, Subject const& subject, Narrowing const& narrowing)
{
    std::vector<std::string> conditions;
    if (!subject.is_id)
        conditions.push_back(subject_condition(subject));
    else
        add_membership(conditions, policy.principal, "principal");
    if (policy.resource.entities != std::vector { narrowing.resource }) // which is in itself
        add_membership(conditions, policy.resource, "resource");
    conditions.push_back(purpose_condition(narrowing.purposes));
    std::string text;
    for (auto const& condition : conditions)
        text += (text.empty() ? "" : " && ") + condition;
    return text;
}

} // namespace

std::string subject_condition(Subject const& subject)
{
    return subject.is_id ? "principal == " + to_string(cedar::EntityUid { "Workload", subject.name })
                         : "principal.name == " + cedar::quoted(subject.name);
}

std::optional<bool> names_subject(Policy const& policy, Subject const& subject)
{
    for (auto const& condition : policy.conditions) {
        auto const& body = condition.body;
        auto const parts = body.op == cedar::Operator::all ? std::span(body.children) : std::span(&body, 1);
        for (auto const& part : parts)
            if (!condition.is_unless && to_string(part).starts_with("principal.name == \""))
                return to_string(part) == "principal.name == " + cedar::quoted(subject.name);
    }
    return std::nullopt;
}

bool is_closed_to(Policy const& policy, Subject const& subject)
{
    auto const wanted = subject_condition(subject);
    return std::ranges::any_of(
        policy.conditions, [&](auto const& condition) { return condition.is_unless && to_string(condition.body) == wanted; });
}

std::string closed_to(Policy const& policy, std::string_view text, Subject const& subject)
{
    std::string source(source_of(policy.span, text));
    ASSERT(source.ends_with(';')); // INVARIANT: a policy's place is all of it
    source.pop_back();
    return source + "\nunless { " + subject_condition(subject) + " };";
}

std::vector<Narrowing> narrowings_of(std::map<UseKey, Occurrences> const& uses)
{
    std::map<std::pair<cedar::EntityUid, std::string>, std::vector<std::string>> purposes; // of resource and action
    for (auto const& [key, occurrences] : uses)
        purposes[{ key.resource, key.action }].push_back(key.purpose);
    std::map<std::pair<cedar::EntityUid, std::vector<std::string>>, std::vector<std::string>> actions;
    for (auto const& [key, list] : purposes)
        actions[{ key.first, list }].push_back(key.second);
    std::vector<Narrowing> narrowings;
    for (auto const& [key, list] : actions)
        narrowings.push_back({ list, key.first, key.second });
    return narrowings;
}

std::string narrowed(Policy const& policy, std::string_view text, Subject const& subject, Narrowing const& narrowing)
{
    std::string permit;
    for (auto const& annotation : policy.annotations)
        if (annotation.name != "id")
            permit += "@" + annotation.name + "(" + cedar::quoted(annotation.value) + ")\n";
    auto const own = own_condition(policy, subject, narrowing);
    permit += "permit (" + principal_scope(policy, subject) + ", " + action_scope(narrowing.actions) + ", resource == "
        + to_string(narrowing.resource) + ")\nwhen { " + own + " }";
    for (auto const& condition : policy.conditions)
        if (condition.is_unless || to_string(condition.body) != own)
            permit += "\n" + std::string(source_of(condition.span, text));
    return permit + ";";
}

} // namespace writ::replay
