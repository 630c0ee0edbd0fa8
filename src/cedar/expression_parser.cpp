// SPDX-License-Identifier: Apache-2.0
#include "cedar/parser.h"

#include <algorithm>
#include <limits>
#include <set>

namespace writ::cedar {

namespace {

// How tight an infix operator binds; relations do not chain.
enum Level : int { none = 0, disjunction = 1, conjunction = 2, relational = 3, additive = 4, multiplicative = 5 };

struct Infix {
    Level level = none;
    Operator op = Operator::any;
};

// Asked of each token behind an operand, which mostly is none of these.
Infix infix_of_symbol(std::string_view text)
{
    bool const is_double = text.size() == 2;
    switch (text.front()) {
    case '|': return { disjunction, Operator::any };
    case '&': return { conjunction, Operator::all };
    case '=': return is_double ? Infix { relational, Operator::equal } : Infix {};
    case '!': return is_double ? Infix { relational, Operator::not_equal } : Infix {};
    case '<': return { relational, is_double ? Operator::less_equal : Operator::less };
    case '>': return { relational, is_double ? Operator::greater_equal : Operator::greater };
    case '+': return { additive, Operator::plus };
    case '-': return { additive, Operator::difference };
    case '*': return { multiplicative, Operator::product };
    default: return {};
    }
}

Infix infix_of_word(std::string_view text)
{
    if (text == "in")
        return { relational, Operator::in };
    if (text == "is")
        return { relational, Operator::is };
    if (text == "has")
        return { relational, Operator::has_attribute };
    return text == "like" ? Infix { relational, Operator::like } : Infix {};
}

Infix infix_of(Token const& token)
{
    if (token.kind == TokenKind::symbol)
        return infix_of_symbol(token.text);
    return token.kind == TokenKind::identifier ? infix_of_word(token.text) : Infix {};
}

struct Method {
    std::string_view name;
    Operator op;
    std::size_t arguments;
};
constexpr std::array<Method, 6> methods { { { "contains", Operator::contains, 1 }, { "containsAll", Operator::contains_all, 1 },
    { "containsAny", Operator::contains_any, 1 }, { "isEmpty", Operator::is_empty, 0 }, { "getTag", Operator::get_tag, 1 }, { "hasTag", Operator::has_tag, 1 } } };

Expression joined(Operator op, Expression left, Expression right)
{
    Expression made { .op = op };
    made.children.reserve(2);
    made.children.push_back(std::move(left));
    made.children.push_back(std::move(right));
    return made;
}

} // namespace

bool Pattern::matches(std::string_view text) const
{
    if (parts.size() == 1)
        return text == parts.front();
    if (!text.starts_with(parts.front()))
        return false;
    text.remove_prefix(parts.front().size());
    // Leftmost matches of the middle parts leave the most for the last.
    for (std::size_t i = 1; i + 1 < parts.size(); ++i) {
        auto const found = text.find(parts[i]);
        if (found == std::string_view::npos)
            return false;
        text.remove_prefix(found + parts[i].size());
    }
    return text.ends_with(parts.back());
}

namespace {

constexpr std::array<std::string_view, 4> functions { "ip", "decimal", "datetime", "duration" };
constexpr std::array<std::string_view, 18> method_names { "isIpv4", "isIpv6", "isLoopback", "isMulticast", "isInRange", "lessThan", "lessThanOrEqual",
    "greaterThan", "greaterThanOrEqual", "offset", "durationSince", "toDate", "toTime", "toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays" };

// What may have been meant by a name that is none.
std::vector<std::string> call_names(CallStyle style)
{
    if (style == CallStyle::function)
        return { functions.begin(), functions.end() };
    std::vector<std::string> names(method_names.begin(), method_names.end());
    for (auto const& method : methods)
        names.emplace_back(method.name);
    return names;
}

} // namespace

std::optional<CallStyle> call_style(std::string_view name)
{
    if (std::find(functions.begin(), functions.end(), name) != functions.end())
        return CallStyle::function;
    if (std::find(method_names.begin(), method_names.end(), name) != method_names.end())
        return CallStyle::method;
    return std::nullopt;
}

Payload const& Expression::said() const
{
    static Payload const nothing;
    return payload != nullptr ? *payload : nothing;
}

std::shared_ptr<Payload const> payload_of(Value value) { return std::make_shared<Payload const>(Payload { .value = std::move(value), .names = {}, .pattern = {} }); }
std::shared_ptr<Payload const> payload_of(std::vector<std::string> names) { return std::make_shared<Payload const>(Payload { .value = {}, .names = std::move(names), .pattern = {} }); }
std::shared_ptr<Payload const> payload_of(Pattern pattern) { return std::make_shared<Payload const>(Payload { .value = {}, .names = {}, .pattern = std::move(pattern) }); }

Result<> ExpressionParser::finish(Expression& made, SourceSpan begin)
{
    made.span = tokens_.span_from(begin);
    for (auto const& child : made.children)
        made.depth = std::max(made.depth, child.depth + 1);
    // `x has a.b.c` stands for as many steps.
    if (made.op == Operator::has_attribute)
        made.depth += static_cast<int>(std::min<std::size_t>(made.names().size(), expression_depth_max + 1));
    if (made.depth > expression_depth_max)
        return tokens_.problem(made.span, "expression is nested deeper than " + std::to_string(expression_depth_max));
    return {};
}

Result<Expression> ExpressionParser::expression()
{
    if (depth_ >= expression_depth_max)
        return tokens_.problem(tokens_.token().span, "expression is nested deeper than " + std::to_string(expression_depth_max));
    ++depth_;
    auto const begin = tokens_.token().span;
    auto made = tokens_.take_word_if("if") ? conditional(begin) : binary(disjunction);
    --depth_;
    return made;
}

Result<Expression> ExpressionParser::conditional(SourceSpan begin)
{
    Expression made { .op = Operator::if_then_else };
    made.children.push_back(TRY(expression()));
    if (!tokens_.take_word_if("then"))
        return tokens_.expected("`then`");
    made.children.push_back(TRY(expression()));
    if (!tokens_.take_word_if("else"))
        return tokens_.expected("`else`");
    made.children.push_back(TRY(expression()));
    TRY(finish(made, begin));
    return made;
}

Result<Expression> ExpressionParser::binary(int level_min)
{
    auto const begin = tokens_.token().span;
    auto left = TRY(unary());
    bool is_related = false;
    for (;;) {
        if (tokens_.token().is("/") || tokens_.token().is("%"))
            return tokens_.problem(tokens_.token().span, describe(tokens_.token()) + " is no operator of the language");
        auto const infix = infix_of(tokens_.token());
        if (infix.level < level_min || infix.level == none)
            return left;
        if (infix.level == relational && is_related)
            return tokens_.problem(tokens_.token().span, "relations do not chain: put parentheses");
        is_related = infix.level == relational;
        if (is_related) {
            left = TRY(relation(std::move(left)));
            TRY(finish(left, begin));
            continue;
        }
        tokens_.take();
        auto right = TRY(binary(infix.level + 1));
        // A chain of && or || becomes one node, so that a long list of alternatives is not deep.
        if (left.op == infix.op && infix.level <= conjunction) {
            left.span = tokens_.span_from(begin);
            left.depth = std::max(left.depth, right.depth + 1);
            left.children.push_back(std::move(right));
        } else {
            left = joined(infix.op, std::move(left), std::move(right));
            TRY(finish(left, begin));
        }
    }
}

Result<Expression> ExpressionParser::relation(Expression left)
{
    Expression made { .op = infix_of(tokens_.take()).op };
    made.children.reserve(2);
    made.children.push_back(std::move(left));
    if (made.op == Operator::has_attribute) {
        made.payload = TRY(path());
    } else if (made.op == Operator::like) {
        made.payload = TRY(pattern());
    } else if (made.op == Operator::is) {
        auto const type = TRY(tokens_.take_name("an entity type"));
        made.payload = payloads_.called(type);
        if (tokens_.take_word_if("in"))
            made.children.push_back(TRY(binary(additive)));
    } else {
        made.children.push_back(TRY(binary(additive)));
    }
    return made;
}

Result<ExpressionParser::SharedPayload> ExpressionParser::pattern()
{
    auto const token = tokens_.token();
    if (token.kind != TokenKind::string)
        return tokens_.expected("a pattern in quotes");
    auto& known = payloads_.of(PayloadPool::Kind::pattern, token.text);
    if (known != nullptr) {
        tokens_.take();
        return known;
    }
    std::vector<std::size_t> wildcards;
    auto text = unescape(token.text, &wildcards);
    if (text.is_error())
        return tokens_.problem(token.span, std::move(text).error().message);
    tokens_.take();
    Pattern made;
    std::size_t from = 0;
    for (auto const wildcard : wildcards) {
        made.parts.push_back(text->substr(from, wildcard - from));
        from = wildcard;
    }
    made.parts.push_back(text->substr(from));
    return known = payload_of(std::move(made));
}

Result<Expression> ExpressionParser::unary()
{
    // LIMIT: the language's own: four `!` or `-` in a row.
    static constexpr int repeats_max = 4;
    auto const begin = tokens_.token().span;
    if (tokens_.token().is("-"))
        return minus();
    int count = 0;
    while (tokens_.take_if("!"))
        ++count;
    if (count > repeats_max)
        return tokens_.problem(tokens_.span_from(begin), "more than four `!` in a row");
    if (count == 0)
        return member();
    auto made = TRY(member());
    for (; count > 0; --count) {
        Expression negation { .op = Operator::negation };
        negation.children.push_back(std::move(made));
        TRY(finish(negation, begin));
        made = std::move(negation);
    }
    return made;
}

Result<Expression> ExpressionParser::minus()
{
    static constexpr int repeats_max = 4;
    auto const begin = tokens_.token().span;
    int count = 0;
    while (tokens_.take_if("-"))
        ++count;
    if (count > repeats_max)
        return tokens_.problem(tokens_.span_from(begin), "more than four `-` in a row");
    // The last sign belongs to a number that stands alone, so that the smallest long can be written.
    bool const is_lone_number = tokens_.token().kind == TokenKind::number && !tokens_.ahead().is(".") && !tokens_.ahead().is("[");
    auto made = is_lone_number ? TRY(number(begin, true)) : TRY(member());
    for (count -= is_lone_number ? 1 : 0; count > 0; --count) {
        Expression negated { .op = Operator::minus };
        negated.children.push_back(std::move(made));
        TRY(finish(negated, begin));
        made = std::move(negated);
    }
    return made;
}

Result<Expression> ExpressionParser::number(SourceSpan begin, bool is_negative)
{
    auto const token = tokens_.take();
    std::uint64_t magnitude = 0;
    auto const limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) + (is_negative ? 1 : 0);
    bool is_over = false;
    for (char const digit : token.text)
        is_over = is_over || __builtin_mul_overflow(magnitude, std::uint64_t { 10 }, &magnitude)
            || __builtin_add_overflow(magnitude, static_cast<std::uint64_t>(digit - '0'), &magnitude) || magnitude > limit;
    if (is_over)
        return tokens_.problem(token.span, "`" + std::string(token.text.substr(0, 60)) + "` is no number of 64 bits");
    Expression made { .op = Operator::literal };
    auto& known = payloads_.of(is_negative ? PayloadPool::Kind::negative_number : PayloadPool::Kind::number, token.text);
    if (known == nullptr)
        known = payload_of(is_negative ? static_cast<std::int64_t>(~magnitude + 1) : static_cast<std::int64_t>(magnitude));
    made.payload = known;
    TRY(finish(made, begin));
    return made;
}

Result<Expression> ExpressionParser::member()
{
    auto const begin = tokens_.token().span;
    auto first = primary();
    // Most are nothing more; an expression is large to move.
    if (first.is_error() || !(tokens_.token().is(".") || tokens_.token().is("[")))
        return first;
    auto made = std::move(first).value();
    for (;;) {
        if (tokens_.take_if(".")) {
            if (tokens_.ahead().is("(")) {
                made = TRY(method(std::move(made), begin));
                continue;
            }
            Expression access { .op = Operator::get_attribute };
            if (tokens_.token().kind != TokenKind::identifier)
                return tokens_.expected("an attribute");
            access.payload = TRY(attribute_payload());
            access.children.push_back(std::move(made));
            TRY(finish(access, begin));
            made = std::move(access);
        } else if (tokens_.take_if("[")) {
            Expression access { .op = Operator::get_attribute };
            if (tokens_.token().kind != TokenKind::string)
                return tokens_.expected("a string");
            access.payload = TRY(attribute_payload());
            TRY(tokens_.expect("]"));
            access.children.push_back(std::move(made));
            TRY(finish(access, begin));
            made = std::move(access);
        } else {
            return made;
        }
    }
}

Result<Expression> ExpressionParser::method(Expression object, SourceSpan begin)
{
    auto const token = tokens_.token();
    auto const name = TRY(tokens_.take_identifier("a method"));
    TRY(tokens_.expect("("));
    auto given = TRY(arguments(")"));
    auto const count = given.size();
    Expression made { .op = Operator::call, .is_method = true };
    made.children.push_back(std::move(object));
    for (auto& argument : given)
        made.children.push_back(std::move(argument));
    auto const* const known = std::find_if(methods.begin(), methods.end(), [&](Method const& m) { return m.name == name; });
    if (known != methods.end()) {
        if (count != known->arguments)
            return tokens_.problem(token.span, "`" + name + "` takes " + std::to_string(known->arguments) + " arguments, found " + std::to_string(count));
        made.op = known->op;
        made.is_method = false;
    } else {
        if (auto const style = call_style(name); style != CallStyle::method)
            return tokens_.problem(token.span, "`" + name + (style ? "` is a function, no method: write `" + name + "(…)`" : "` is no method" + suggestion(name, call_names(CallStyle::method))));
        made.payload = payloads_.called(name);
    }
    TRY(finish(made, begin));
    return made;
}

Result<std::vector<Expression>> ExpressionParser::arguments(std::string_view closing)
{
    std::vector<Expression> found;
    while (!tokens_.take_if(closing)) {
        found.push_back(TRY(expression()));
        if (!tokens_.token().is(closing))
            TRY(tokens_.expect(","));
    }
    return found;
}

Result<Expression> ExpressionParser::primary()
{
    auto const begin = tokens_.token().span;
    switch (tokens_.token().kind) {
    case TokenKind::number: return number(begin, false);
    case TokenKind::identifier: return word();
    case TokenKind::string: return text(begin);
    case TokenKind::slot: return tokens_.problem(begin, describe(tokens_.token()) + " may stand in a template's scope only");
    case TokenKind::invalid: return tokens_.problem(begin, describe(tokens_.token()) + " is not understood");
    default: break;
    }
    if (tokens_.take_if("(")) {
        auto made = TRY(expression());
        TRY(tokens_.expect(")"));
        return made;
    }
    if (tokens_.take_if("["))
        return set(begin);
    if (tokens_.take_if("{"))
        return record(begin);
    return tokens_.expected("an expression");
}

Result<Expression> ExpressionParser::text(SourceSpan begin)
{
    auto& known = payloads_.of(PayloadPool::Kind::text, tokens_.token().text);
    if (known != nullptr) {
        tokens_.take();
    } else {
        auto value = TRY(tokens_.take_string());
        known = payload_of(Value(std::move(value)));
    }
    Expression made { .op = Operator::literal, .payload = known, .children = {} };
    TRY(finish(made, begin));
    return made;
}

Result<Expression> ExpressionParser::truth(SourceSpan begin)
{
    static auto const yes = payload_of(true);
    static auto const no = payload_of(false);
    Expression made { .op = Operator::literal, .payload = tokens_.take().text == "true" ? yes : no, .children = {} };
    TRY(finish(made, begin));
    return made;
}

Result<Expression> ExpressionParser::variable(std::string_view name, SourceSpan begin)
{
    static constexpr std::array<std::string_view, 4> variables { "principal", "action", "resource", "context" };
    auto const* const variable = std::find(variables.begin(), variables.end(), name);
    if (variable == variables.end())
        return tokens_.problem(tokens_.span_from(begin), "`" + std::string(name) + "` is no variable: they are `principal`, `action`, `resource` and `context`");
    Expression made { .op = Operator::variable, .variable = static_cast<Variable>(variable - variables.begin()) };
    TRY(finish(made, begin));
    return made;
}

Result<Expression> ExpressionParser::word()
{
    auto const begin = tokens_.token().span;
    if (tokens_.token().is_word("true") || tokens_.token().is_word("false"))
        return truth(begin);
    auto const name = TRY(tokens_.take_name("an expression"));
    Expression made { .op = Operator::literal };
    if (tokens_.token().is("::")) {
        tokens_.take();
        auto id = TRY(tokens_.take_string());
        made.payload = payload_of(EntityUid { name, std::move(id) });
        TRY(finish(made, begin));
        return made;
    }
    if (!tokens_.token().is("("))
        return variable(name, begin);
    if (auto const style = call_style(name); style != CallStyle::function)
        return tokens_.problem(tokens_.span_from(begin), "`" + name + (style ? "` is a method: write `x." + name + "(…)`" : "` is no function" + suggestion(name, call_names(CallStyle::function))));
    tokens_.take();
    made.op = Operator::call;
    made.payload = payloads_.called(name);
    made.children = TRY(arguments(")"));
    TRY(finish(made, begin));
    return made;
}

Result<Expression> ExpressionParser::set(SourceSpan begin)
{
    Expression made { .op = Operator::set };
    made.children = TRY(arguments("]"));
    TRY(finish(made, begin));
    return made;
}

Result<std::string> ExpressionParser::attribute()
{
    if (tokens_.token().kind == TokenKind::string)
        return tokens_.take_string();
    return tokens_.take_identifier("an attribute");
}

Result<ExpressionParser::SharedPayload> ExpressionParser::attribute_payload()
{
    auto const& token = tokens_.token();
    auto& known = payloads_.of(token.kind == TokenKind::string ? PayloadPool::Kind::quoted_name : PayloadPool::Kind::name, token.text);
    if (known != nullptr) {
        tokens_.take();
        return known;
    }
    auto name = TRY(attribute());
    return known = payload_of(std::vector { std::move(name) });
}

// What `has` asks for: one attribute, or names with dots between them.
Result<ExpressionParser::SharedPayload> ExpressionParser::path()
{
    bool const may_go_on = tokens_.token().kind == TokenKind::identifier;
    auto first = TRY(attribute_payload());
    if (!may_go_on || !tokens_.token().is("."))
        return first;
    auto names = first->names;
    while (tokens_.take_if("."))
        names.push_back(TRY(tokens_.take_identifier("an attribute")));
    return payload_of(std::move(names));
}

Result<Expression> ExpressionParser::record(SourceSpan begin)
{
    Expression made { .op = Operator::record };
    std::set<std::string> seen;
    std::vector<std::string> names;
    while (!tokens_.take_if("}")) {
        auto const span = tokens_.token().span;
        auto name = TRY(attribute());
        if (!seen.insert(name).second)
            return tokens_.problem(span, "attribute `" + name + "` stands twice in a record");
        TRY(tokens_.expect(":"));
        names.push_back(std::move(name));
        made.children.push_back(TRY(expression()));
        if (!tokens_.token().is("}"))
            TRY(tokens_.expect(","));
    }
    made.payload = payload_of(std::move(names));
    TRY(finish(made, begin));
    return made;
}

} // namespace writ::cedar
