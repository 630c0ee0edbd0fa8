// SPDX-License-Identifier: Apache-2.0
#include "replay/asked_for.h"

namespace writ::replay {

namespace {

using cedar::Expression;
using cedar::Operator;

bool is_context(Expression const& expression)
{
    return expression.op == Operator::variable && expression.variable == cedar::Variable::context;
}

bool is_member_of_context(Expression const& expression)
{
    return (expression.op == Operator::get_attribute || expression.op == Operator::has_attribute) && is_context(expression.children[0]);
}

void add_tag(AskedFor& asked, Expression const& name)
{
    auto const* const text = name.op == Operator::literal ? std::get_if<std::string>(&name.value().storage()) : nullptr;
    if (text != nullptr)
        asked.tags.insert(*text);
    else
        asked.all_tags = true;
}

} // namespace

void add_asked_for(AskedFor& asked, Expression const& expression)
{
    if (is_member_of_context(expression)) {
        asked.context.insert(expression.names()[0]);
        return;
    }
    if (is_context(expression))
        asked.all_context = true;
    if (expression.op == Operator::get_tag || expression.op == Operator::has_tag)
        add_tag(asked, expression.children[1]);
    for (auto const& child : expression.children)
        add_asked_for(asked, child);
}

void add_asked_for(AskedFor& asked, cedar::Policy const& policy)
{
    for (auto const& condition : policy.conditions)
        add_asked_for(asked, condition.body);
}

AskedFor asked_for(cedar::PolicySet const& policies)
{
    AskedFor asked;
    for (auto const& policy : policies.policies())
        add_asked_for(asked, *policy);
    return asked;
}

} // namespace writ::replay
