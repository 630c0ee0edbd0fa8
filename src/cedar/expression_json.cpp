// SPDX-License-Identifier: Apache-2.0
#include "cedar/expression_json.h"

#include "cedar/text.h"
#include "cedar/value_json.h"

#include <algorithm>

namespace writ::cedar {

namespace {

constexpr std::array<std::string_view, 4> variables { "principal", "action", "resource", "context" };

struct Row {
    std::string_view name;
    Operator op;
};
// Of `left` and `right`.
constexpr std::array<Row, 18> binary { { { "&&", Operator::all }, { "||", Operator::any }, { "==", Operator::equal }, { "!=", Operator::not_equal },
    { "<", Operator::less }, { "<=", Operator::less_equal }, { ">", Operator::greater }, { ">=", Operator::greater_equal }, { "+", Operator::plus },
    { "-", Operator::difference }, { "*", Operator::product }, { "in", Operator::in }, { "contains", Operator::contains }, { "containsAll", Operator::contains_all },
    { "containsAny", Operator::contains_any }, { "getTag", Operator::get_tag }, { "hasTag", Operator::has_tag }, { "is", Operator::is } } };
// Of `arg`.
constexpr std::array<Row, 3> unary { { { "!", Operator::negation }, { "neg", Operator::minus }, { "isEmpty", Operator::is_empty } } };

template <std::size_t N>
Row const* find(std::array<Row, N> const& rows, Operator op)
{
    auto const* const row = std::find_if(rows.begin(), rows.end(), [&](Row const& r) { return r.op == op; });
    return row == rows.end() ? nullptr : row;
}

template <std::size_t N>
Row const* find(std::array<Row, N> const& rows, std::string_view name)
{
    auto const* const row = std::find_if(rows.begin(), rows.end(), [&](Row const& r) { return r.name == name; });
    return row == rows.end() ? nullptr : row;
}

JsonObject node(std::string_view name, JsonValue value)
{
    JsonObject object;
    object.emplace(name, std::move(value));
    return object;
}

JsonValue binary_json(std::string_view name, JsonValue left, JsonValue right)
{
    return node(name, JsonObject { { "left", std::move(left) }, { "right", std::move(right) } });
}

JsonValue chain_json(std::string_view name, std::vector<Expression> const& children)
{
    auto json = to_json(children[0]);
    for (std::size_t i = 1; i < children.size(); ++i)
        json = binary_json(name, std::move(json), to_json(children[i]));
    return json;
}

JsonValue attribute_json(std::string_view name, JsonValue left, std::string const& attribute)
{
    return node(name, JsonObject { { "left", std::move(left) }, { "attr", attribute } });
}

// The form has single steps only: `x has a.b` is `x has a && x.a has b`.
JsonValue has_json(Expression const& expression)
{
    auto object = to_json(expression.children[0]);
    JsonValue json;
    for (std::size_t i = 0; i < expression.names().size(); ++i) {
        auto step = attribute_json("has", object, expression.names()[i]);
        json = i == 0 ? std::move(step) : binary_json("&&", std::move(json), std::move(step));
        object = attribute_json(".", std::move(object), expression.names()[i]);
    }
    return json;
}

JsonValue pattern_json(Expression const& expression)
{
    JsonArray pattern;
    auto const& parts = expression.pattern().parts;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0)
            pattern.push_back("Wildcard");
        if (!parts[i].empty())
            pattern.push_back(JsonObject { { "Literal", parts[i] } });
    }
    return node("like", JsonObject { { "left", to_json(expression.children[0]) }, { "pattern", std::move(pattern) } });
}

JsonValue is_json(Expression const& expression)
{
    JsonObject object { { "left", to_json(expression.children[0]) }, { "entity_type", expression.name() } };
    if (expression.children.size() > 1)
        object.emplace("in", to_json(expression.children[1]));
    return node("is", std::move(object));
}

JsonArray list_json(std::vector<Expression> const& children)
{
    JsonArray array;
    for (auto const& child : children)
        array.push_back(to_json(child));
    return array;
}

class ExpressionReader {
public:
    Result<Expression> read(JsonValue const& json)
    {
        if (depth_ >= expression_depth_max)
            return invalid_argument("expression is nested deeper than " + std::to_string(expression_depth_max));
        if (!json.is_object() || json.as_object().size() != 1)
            return invalid_argument("an expression must be an object of one member");
        auto const& member = *json.as_object().begin();
        ++depth_;
        auto made = read(std::string_view(member.key()), member.value());
        --depth_;
        if (made.is_error())
            return made;
        return finished(std::move(made).value());
    }

private:
    static Result<Expression> finished(Expression made)
    {
        for (auto const& child : made.children)
            made.depth = std::max(made.depth, child.depth + 1);
        if (made.depth > expression_depth_max)
            return invalid_argument("expression is nested deeper than " + std::to_string(expression_depth_max));
        return made;
    }

    Result<Expression> read(std::string_view name, JsonValue const& json)
    {
        if (name == "Value")
            return of(TRY(parse_value(json)));
        if (name == "Var")
            return variable(json);
        if (name == "Slot")
            return invalid_argument("a slot may stand in a template's scope only");
        if (name == "Set")
            return set(json);
        if (auto const style = call_style(name))
            return call(name, *style, json);
        if (!json.is_object())
            return invalid_argument("`" + std::string(name.substr(0, 60)) + "` must be an object");
        auto const& object = json.as_object();
        if (name == "Record")
            return record(object);
        if (name == "if-then-else")
            return children(Operator::if_then_else, object, { "if", "then", "else" });
        if (name == "." || name == "has")
            return attribute(name == "." ? Operator::get_attribute : Operator::has_attribute, object);
        if (name == "like")
            return like(object);
        if (name == "is")
            return is(object);
        if (auto const* row = find(unary, name))
            return children(row->op, object, { "arg" });
        if (auto const* row = find(binary, name))
            return both(row->op, object);
        return invalid_argument("unknown operator `" + std::string(name.substr(0, 60)) + "`");
    }

    // A constant as the parser would have made it of its text.
    Result<Expression> of(Value const& value)
    {
        Expression made { .op = Operator::literal };
        if (auto const* const members = std::get_if<std::shared_ptr<Record const>>(&value.storage())) {
            made.op = Operator::record;
            std::vector<std::string> names;
            for (auto const& [name, member] : **members) {
                names.push_back(name);
                made.children.push_back(TRY(of(member)));
            }
            made.payload = payload_of(std::move(names));
            return finished(std::move(made));
        }
        if (auto const* const elements = std::get_if<std::shared_ptr<Set const>>(&value.storage())) {
            made.op = Operator::set;
            for (auto const& element : **elements)
                made.children.push_back(TRY(of(element)));
            return finished(std::move(made));
        }
        if (auto const call = constructor(value))
            return *call;
        made.payload = payload_of(value);
        return made;
    }

    static Expression text(std::string value)
    {
        Expression made { .op = Operator::literal };
        made.payload = payload_of(Value(std::move(value)));
        return made;
    }

    static Expression called(std::string_view name, Expression argument)
    {
        Expression made { .op = Operator::call, .depth = argument.depth + 1, .payload = payload_of(std::vector { std::string(name) }), .children = {} };
        made.children.push_back(std::move(argument));
        return made;
    }

    // The call that makes a value of an extension type; nothing for others.
    static std::optional<Expression> constructor(Value const& value)
    {
        auto const& storage = value.storage();
        if (auto const* decimal = std::get_if<Decimal>(&storage))
            return called("decimal", text(decimal_text(*decimal)));
        if (auto const* duration = std::get_if<DurationValue>(&storage))
            return called("duration", text(duration_text(*duration)));
        if (auto const* address = std::get_if<IpAddress>(&storage))
            return called("ip", text(ip_address_text(*address)));
        auto const* const datetime = std::get_if<Datetime>(&storage);
        if (datetime == nullptr)
            return std::nullopt;
        if (auto const written = datetime_text(*datetime))
            return called("datetime", text(*written));
        auto made = called("offset", called("datetime", text("1970-01-01")));
        made.is_method = true;
        made.children.push_back(called("duration", text(duration_text({ datetime->milliseconds }))));
        return made;
    }

    static Result<Expression> variable(JsonValue const& json)
    {
        auto const* const found = json.is_string() ? std::find(variables.begin(), variables.end(), std::string_view(json.as_string())) : variables.end();
        if (found == variables.end())
            return invalid_argument("`Var` must be `principal`, `action`, `resource` or `context`");
        return Expression { .op = Operator::variable, .variable = static_cast<Variable>(found - variables.begin()) };
    }

    Result<Expression> set(JsonValue const& json)
    {
        if (!json.is_array())
            return invalid_argument("`Set` must be an array");
        Expression made { .op = Operator::set };
        for (auto const& element : json.as_array())
            made.children.push_back(TRY(read(element)));
        return made;
    }

    Result<Expression> record(JsonObject const& object)
    {
        Expression made { .op = Operator::record };
        std::vector<std::string> names;
        for (auto const& member : object) {
            names.emplace_back(member.key());
            made.children.push_back(TRY(read(member.value())));
        }
        made.payload = payload_of(std::move(names));
        return made;
    }

    Result<Expression> call(std::string_view name, CallStyle style, JsonValue const& json)
    {
        if (!json.is_array() || (style == CallStyle::method && json.as_array().empty()))
            return invalid_argument("`" + std::string(name) + "` must be an array of its arguments");
        Expression made { .op = Operator::call, .is_method = style == CallStyle::method, .payload = payload_of(std::vector { std::string(name) }), .children = {} };
        for (auto const& argument : json.as_array())
            made.children.push_back(TRY(read(argument)));
        return made;
    }

    Result<Expression> children(Operator op, JsonObject const& object, std::initializer_list<char const*> names)
    {
        Expression made { .op = op };
        for (auto const* const name : names) {
            auto const* const child = object.if_contains(name);
            if (child == nullptr)
                return invalid_argument(std::string("an operator needs `") + name + "`");
            made.children.push_back(TRY(read(*child)));
        }
        return made;
    }

    Result<Expression> both(Operator op, JsonObject const& object)
    {
        return op == Operator::all || op == Operator::any ? chain(op, object) : children(op, object, { "left", "right" });
    }

    // As the parser has it: a chain is one node, and no nesting, however long.
    Result<Expression> chain(Operator op, JsonObject const& outermost)
    {
        auto const name = find(binary, op)->name;
        std::vector<JsonValue const*> operands; // the last one first
        for (auto const* object = &outermost; object != nullptr;) {
            auto const* const left = object->if_contains("left");
            auto const* const right = object->if_contains("right");
            if (left == nullptr || right == nullptr)
                return invalid_argument(std::string("an operator needs `") + (left == nullptr ? "left" : "right") + "`");
            operands.push_back(right);
            object = operator_of(*left, name);
            if (object == nullptr)
                operands.push_back(left);
        }
        Expression made { .op = op };
        for (auto operand = operands.rbegin(); operand != operands.rend(); ++operand)
            made.children.push_back(TRY(read(**operand)));
        return made;
    }

    // What is in `{name: {…}}`; nullptr: it is something else.
    static JsonObject const* operator_of(JsonValue const& json, std::string_view name)
    {
        if (!json.is_object() || json.as_object().size() != 1)
            return nullptr;
        auto const* const inside = json.as_object().if_contains(name);
        return inside == nullptr ? nullptr : inside->if_object();
    }

    Result<Expression> attribute(Operator op, JsonObject const& object)
    {
        auto made = TRY(children(op, object, { "left" }));
        std::string name(TRY(string_member(object, "attr")));
        made.payload = payload_of(std::vector { std::move(name) });
        return made;
    }

    Result<Expression> is(JsonObject const& object)
    {
        auto made = object.contains("in") ? TRY(children(Operator::is, object, { "left", "in" })) : TRY(children(Operator::is, object, { "left" }));
        std::string type(TRY(string_member(object, "entity_type")));
        if (!is_name(type))
            return invalid_argument("`" + type.substr(0, 60) + "` is no entity type");
        made.payload = payload_of(std::vector { std::move(type) });
        return made;
    }

    Result<Expression> like(JsonObject const& object)
    {
        auto made = TRY(children(Operator::like, object, { "left" }));
        Pattern pattern { { "" } };
        for (auto const& part : *TRY(array_member(object, "pattern"))) {
            if (part.is_string() && part.as_string() == "Wildcard")
                pattern.parts.emplace_back();
            else if (part.is_object())
                pattern.parts.back() += TRY(string_member(part.as_object(), "Literal"));
            else
                return invalid_argument("a pattern's parts are `Wildcard` and {Literal}");
        }
        made.payload = payload_of(std::move(pattern));
        return made;
    }

    int depth_ = 0;
};

} // namespace

JsonValue to_json(Expression const& expression)
{
    switch (expression.op) {
    case Operator::literal: return node("Value", to_json(expression.value()));
    case Operator::variable: return node("Var", JsonValue(variables.at(static_cast<std::size_t>(expression.variable))));
    case Operator::if_then_else:
        return node("if-then-else",
            JsonObject { { "if", to_json(expression.children[0]) }, { "then", to_json(expression.children[1]) }, { "else", to_json(expression.children[2]) } });
    case Operator::get_attribute: return attribute_json(".", to_json(expression.children[0]), expression.names().front());
    case Operator::has_attribute: return has_json(expression);
    case Operator::like: return pattern_json(expression);
    case Operator::is: return is_json(expression);
    case Operator::set: return node("Set", list_json(expression.children));
    case Operator::call: return node(expression.name(), list_json(expression.children));
    case Operator::record: {
        JsonObject members;
        for (std::size_t i = 0; i < expression.children.size(); ++i)
            members.emplace(expression.names()[i], to_json(expression.children[i]));
        return node("Record", std::move(members));
    }
    default: break;
    }
    if (auto const* row = find(unary, expression.op))
        return node(row->name, JsonObject { { "arg", to_json(expression.children[0]) } });
    return chain_json(find(binary, expression.op)->name, expression.children);
}

Result<Expression> parse_expression_json(JsonValue const& json) { return ExpressionReader().read(json); }

} // namespace writ::cedar
