// SPDX-License-Identifier: Apache-2.0
#include "cedar/printer.h"

#include "cedar/text.h"

namespace writ::cedar {

namespace {

constexpr int lowest = 0, disjunction = 1, conjunction = 2, relational = 3, additive = 4, multiplicative = 5, prefix = 6, tightest = 7;

class Printer {
public:
    std::string take() { return std::move(text_); }

    // With parentheses if it binds less tight than `level_min`.
    void print(Expression const& expression, int level_min)
    {
        bool const needs_parentheses = binding(expression) < level_min;
        if (needs_parentheses)
            text_ += "(";
        print_bare(expression);
        if (needs_parentheses)
            text_ += ")";
    }

private:
    static constexpr std::array<std::string_view, 4> variables { "principal", "action", "resource", "context" };

    void print_bare(Expression const& expression)
    {
        switch (expression.op) {
        case Operator::literal: text_ += to_string(expression.value()); return;
        case Operator::variable: text_ += variables.at(static_cast<std::size_t>(expression.variable)); return;
        case Operator::if_then_else: print_conditional(expression); return;
        case Operator::negation: print_prefix("!", expression.children[0]); return;
        case Operator::minus: print_prefix("-", expression.children[0]); return;
        case Operator::get_attribute: print_access(expression); return;
        case Operator::has_attribute: print_has(expression); return;
        case Operator::like:
            print(expression.children[0], additive);
            text_ += " like \"" + pattern_text(expression.pattern()) + "\"";
            return;
        case Operator::is: print_is(expression); return;
        case Operator::set: print_list("[", expression.children, 0, "]"); return;
        case Operator::record: print_record(expression); return;
        case Operator::contains:
        case Operator::contains_all:
        case Operator::contains_any:
        case Operator::is_empty:
        case Operator::get_tag:
        case Operator::has_tag: print_method(expression, method_name(expression.op)); return;
        case Operator::call: print_call(expression); return;
        default: print_infix(expression); return;
        }
    }

    static std::string_view method_name(Operator op)
    {
        switch (op) {
        case Operator::contains: return "contains";
        case Operator::contains_all: return "containsAll";
        case Operator::contains_any: return "containsAny";
        case Operator::is_empty: return "isEmpty";
        case Operator::get_tag: return "getTag";
        default: return "hasTag";
        }
    }

    void print_conditional(Expression const& expression)
    {
        static constexpr std::array<std::string_view, 3> words { "if ", " then ", " else " };
        for (std::size_t i = 0; i < 3; ++i) {
            text_ += words.at(i);
            print(expression.children[i], lowest);
        }
    }

    void print_prefix(std::string_view sign, Expression const& child)
    {
        text_ += sign;
        // Five signs in a row would not parse again; and `-(1)` must not become the literal -1.
        bool const same = child.op == (sign == "!" ? Operator::negation : Operator::minus);
        bool const is_number = std::holds_alternative<std::int64_t>(child.value().storage()) && child.op == Operator::literal;
        print(child, is_number && sign == "-" ? tightest + 2 : same ? tightest + 1 : prefix + 1);
    }

    void print_access(Expression const& expression)
    {
        print(expression.children[0], tightest);
        auto const& name = expression.names().front();
        text_ += is_identifier(name) && !is_reserved(name) ? "." + name : "[" + quoted(name) + "]";
    }

    void print_has(Expression const& expression)
    {
        print(expression.children[0], additive);
        text_ += " has ";
        auto const& names = expression.names();
        if (names.size() == 1 && (!is_identifier(names[0]) || is_reserved(names[0]))) {
            text_ += quoted(names[0]);
            return;
        }
        for (std::size_t i = 0; i < names.size(); ++i)
            text_ += (i > 0 ? "." : "") + names[i];
    }

    void print_is(Expression const& expression)
    {
        print(expression.children[0], additive);
        text_ += " is " + expression.name();
        if (expression.children.size() == 1)
            return;
        text_ += " in ";
        print(expression.children[1], additive);
    }

    void print_list(std::string_view open, std::vector<Expression> const& elements, std::size_t from, std::string_view close)
    {
        text_ += open;
        for (std::size_t i = from; i < elements.size(); ++i) {
            if (i > from)
                text_ += ", ";
            print(elements[i], lowest);
        }
        text_ += close;
    }

    void print_record(Expression const& expression)
    {
        text_ += "{";
        for (std::size_t i = 0; i < expression.children.size(); ++i) {
            auto const& name = expression.names()[i];
            text_ += (i > 0 ? ", " : "") + (is_identifier(name) && !is_reserved(name) ? name : quoted(name)) + ": ";
            print(expression.children[i], lowest);
        }
        text_ += "}";
    }

    void print_method(Expression const& expression, std::string_view name)
    {
        print(expression.children[0], tightest);
        text_ += "." + std::string(name);
        print_list("(", expression.children, 1, ")");
    }

    void print_call(Expression const& expression)
    {
        if (expression.is_method) {
            print_method(expression, expression.name());
            return;
        }
        text_ += expression.name();
        print_list("(", expression.children, 0, ")");
    }

    void print_infix(Expression const& expression)
    {
        auto const level = binding(expression);
        for (std::size_t i = 0; i < expression.children.size(); ++i) {
            if (i > 0)
                text_ += infix_sign(expression.op);
            // Relations do not chain; the others group to the left, and && and || are one node whatever their length.
            bool const may_be_bare = i == 0 && level != relational && level > conjunction;
            print(expression.children[i], may_be_bare ? level : level + 1);
        }
    }

    std::string text_;
};

} // namespace

int binding(Expression const& expression)
{
    switch (expression.op) {
    case Operator::if_then_else: return lowest;
    case Operator::any: return disjunction;
    case Operator::all: return conjunction;
    case Operator::equal:
    case Operator::not_equal:
    case Operator::less:
    case Operator::less_equal:
    case Operator::greater:
    case Operator::greater_equal:
    case Operator::in:
    case Operator::has_attribute:
    case Operator::like:
    case Operator::is: return relational;
    case Operator::plus:
    case Operator::difference: return additive;
    case Operator::product: return multiplicative;
    case Operator::negation:
    case Operator::minus: return prefix;
    case Operator::literal: {
        // `-1.toDate()` would negate the call.
        auto const* const number = std::get_if<std::int64_t>(&expression.value().storage());
        return number != nullptr && *number < 0 ? prefix : tightest + 1;
    }
    default: return tightest;
    }
}

std::string_view infix_sign(Operator op)
{
    switch (op) {
    case Operator::any: return " || ";
    case Operator::all: return " && ";
    case Operator::equal: return " == ";
    case Operator::not_equal: return " != ";
    case Operator::less: return " < ";
    case Operator::less_equal: return " <= ";
    case Operator::greater: return " > ";
    case Operator::greater_equal: return " >= ";
    case Operator::in: return " in ";
    case Operator::plus: return " + ";
    case Operator::difference: return " - ";
    case Operator::product: return " * ";
    default: return "";
    }
}

std::string pattern_text(Pattern const& pattern)
{
    std::string text;
    for (std::size_t i = 0; i < pattern.parts.size(); ++i) {
        if (i > 0)
            text += "*";
        append_escaped(text, pattern.parts[i], true);
    }
    return text;
}

std::string to_string(Expression const& expression)
{
    Printer printer;
    printer.print(expression, lowest);
    return printer.take();
}

std::string to_string(ScopeConstraint const& scope, std::string_view variable)
{
    std::string text(variable);
    auto const entity = [&] { return scope.is_slot ? "?" + std::string(variable) : to_string(scope.entities.front()); };
    switch (scope.kind) {
    case ScopeConstraint::Kind::any: return text;
    case ScopeConstraint::Kind::equal: return text + " == " + entity();
    case ScopeConstraint::Kind::in: return text + " in " + entity();
    case ScopeConstraint::Kind::is: return text + " is " + scope.type;
    case ScopeConstraint::Kind::is_in: return text + " is " + scope.type + " in " + entity();
    case ScopeConstraint::Kind::in_any: break;
    }
    text += " in [";
    for (std::size_t i = 0; i < scope.entities.size(); ++i)
        text += (i > 0 ? ", " : "") + to_string(scope.entities[i]);
    return text + "]";
}

std::string to_string(Policy const& policy)
{
    std::string text;
    for (auto const& annotation : policy.annotations)
        text += "@" + annotation.name + "(" + quoted(annotation.value) + ")\n";
    text += policy.effect == Effect::permit ? "permit (" : "forbid (";
    text += to_string(policy.principal, "principal") + ", " + to_string(policy.action, "action") + ", " + to_string(policy.resource, "resource") + ")";
    for (auto const& condition : policy.conditions)
        text += (condition.is_unless ? "\nunless { " : "\nwhen { ") + to_string(condition.body) + " }";
    return text + ";";
}

} // namespace writ::cedar
