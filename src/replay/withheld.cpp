// SPDX-License-Identifier: Apache-2.0
#include "replay/withheld.h"

#include "cedar/evaluator.h"
#include "replay/asked_for.h"

namespace writ::replay {

namespace {

AskedFor asked_of(cedar::Request const& request, cedar::PolicySet const& policies, cedar::EntityStore const& entities)
{
    AskedFor asked;
    cedar::Evaluator const evaluator(request, entities);
    for (auto const& policy : policies.policies())
        if (evaluator.matches(policy->principal, request.principal) && evaluator.matches(policy->action, request.action)
            && evaluator.matches(policy->resource, request.resource))
            add_asked_for(asked, *policy);
    return asked;
}

// `purpose`, `run` and `time` are on record whatever else was cut.
bool asks_for_sent_context(AskedFor const& asked)
{
    for (auto const& name : asked.context)
        if (name != "purpose" && name != "run" && name != "time")
            return true;
    return asked.all_context;
}

// `patient.id` is a part of `patient`, or a member of that name.
bool asks_for_member(AskedFor const& asked, std::string_view name)
{
    for (auto dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1))
        if (asked.has_context(name.substr(0, dot)))
            return true;
    return asked.has_context(name);
}

bool is_asked_for(Withheld const& withheld, AskedFor const& asked)
{
    if (withheld.kind == Withheld::Kind::request)
        return true;
    if (withheld.kind == Withheld::Kind::tag)
        return withheld.name.empty() ? asked.has_any_tag() : asked.has_tag(withheld.name);
    return withheld.name.empty() ? asks_for_sent_context(asked) : asks_for_member(asked, withheld.name);
}

} // namespace

std::vector<Withheld> asked_and_withheld(
    std::vector<Withheld> const& withheld, cedar::Request const& request, cedar::PolicySet const& policies, cedar::EntityStore const& entities)
{
    if (withheld.empty())
        return {};
    auto const asked = asked_of(request, policies, entities);
    std::vector<Withheld> found;
    for (auto const& part : withheld)
        if (is_asked_for(part, asked))
            found.push_back(part);
    return found;
}

} // namespace writ::replay
