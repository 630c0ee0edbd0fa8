// SPDX-License-Identifier: Apache-2.0
//
// Each limit of docs/cedar.md: what is just within it passes, what is one beyond it is refused in words that name the limit.
// Steps of an evaluation are in work_test.cpp.
#include "cedar/ast.h"
#include "cedar/policy_json.h"
#include "cedar/printer.h"
#include "cedar/schema.h"
#include "cedar/schema_syntax.h"

#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

std::string repeated(std::string_view text, int count)
{
    std::string result;
    for (int i = 0; i < count; ++i)
        result += text;
    return result;
}

// What is wrong with a text; empty: nothing.
std::string of_policies(std::string text)
{
    std::vector<SyntaxProblem> problems;
    (void)PolicySet::parse({ { "test", std::move(text) } }, problems);
    return problems.empty() ? "" : problems[0].message;
}
std::string of_condition(std::string const& condition) { return of_policies("permit (principal, action, resource) when { " + condition + " };"); }
std::string of_schema(std::string text)
{
    std::vector<SyntaxProblem> problems;
    (void)Schema::parse({ { "test", std::move(text) } }, problems);
    return problems.empty() ? "" : problems[0].message;
}

std::string annotations(int count)
{
    std::string text;
    for (int i = 0; i < count; ++i)
        text += "@a" + std::to_string(i) + " ";
    return text;
}

TEST(Limits, a_text_is_of_16_mebibytes)
{
    std::string const policy = "permit (principal, action, resource);";
    EXPECT_EQ(of_policies(policy + std::string(source_bytes_max - policy.size(), ' ')), "");
    EXPECT_EQ(of_policies(policy + std::string(source_bytes_max - policy.size() + 1, ' ')), "the text is longer than 16777216 bytes");
    EXPECT_EQ(of_schema(std::string(source_bytes_max, ' ')), "");
    EXPECT_EQ(of_schema(std::string(source_bytes_max + 1, ' ')), "the text is longer than 16777216 bytes");
}

TEST(Limits, expressions_are_nested_256_deep)
{
    std::string const message = "expression is nested deeper than 256";
    auto const sets = [](int depth) { return of_condition(repeated("[", depth) + repeated("]", depth) + " == 1"); };
    EXPECT_EQ(sets(expression_depth_max - 1), "");
    EXPECT_EQ(sets(expression_depth_max), message);
    auto const parentheses = [](int depth) { return of_condition(repeated("(", depth) + "true" + repeated(")", depth)); };
    EXPECT_EQ(parentheses(expression_depth_max - 1), "");
    EXPECT_EQ(parentheses(expression_depth_max), message);
    auto const members = [](int depth) { return of_condition("context" + repeated(".a", depth)); };
    EXPECT_EQ(members(expression_depth_max - 1), "");
    EXPECT_EQ(members(expression_depth_max), message);
    auto const path = [](int names) { return of_condition("context has a" + repeated(".a", names - 1)); };
    EXPECT_EQ(path(expression_depth_max - 2), "");
    EXPECT_EQ(path(expression_depth_max), message);
    // A chain is no nesting, however long.
    EXPECT_EQ(of_condition("true" + repeated(" && true", 10'000)), "");
}

TEST(Limits, expressions_of_json_are_nested_256_deep)
{
    auto const problem = [](int depth) {
        JsonValue body = JsonObject { { "Value", true } };
        for (int i = 1; i < depth; ++i)
            body = JsonObject { { "!", JsonObject { { "arg", std::move(body) } } } };
        JsonObject const any { { "op", "All" } };
        JsonArray conditions { JsonObject { { "kind", "when" }, { "body", std::move(body) } } };
        auto const read = parse_policy_json(
            JsonObject { { "effect", "permit" }, { "principal", any }, { "action", any }, { "resource", any }, { "conditions", std::move(conditions) } });
        return read.is_ok() ? "" : read.error().message;
    };
    EXPECT_EQ(problem(expression_depth_max), "");
    EXPECT_NE(problem(expression_depth_max + 1).find("expression is nested deeper than 256"), std::string::npos) << problem(expression_depth_max + 1);
}

TEST(Limits, types_are_nested_64_deep)
{
    auto const sets = [](int depth) { return of_schema("type T = " + repeated("Set<", depth) + "Long" + repeated(">", depth) + ";"); };
    EXPECT_EQ(sets(type_depth_max - 1), "");
    EXPECT_EQ(sets(type_depth_max + 1), "types are nested deeper than 64");
    auto const chain = [](int length) {
        std::string text = "type T0 = Long; entity E { a: T" + std::to_string(length) + " };";
        for (int i = 1; i <= length; ++i)
            text = "type T" + std::to_string(i) + " = T" + std::to_string(i - 1) + "; " + text;
        return of_schema(text);
    };
    EXPECT_EQ(chain(type_depth_max / 2), "");
}

TEST(Limits, a_policy_or_declaration_has_256_annotations)
{
    std::string const message = "more than 256 annotations";
    EXPECT_EQ(of_policies(annotations(256) + "permit (principal, action, resource);"), "");
    EXPECT_EQ(of_policies(annotations(257) + "permit (principal, action, resource);"), message);
    EXPECT_EQ(of_schema(annotations(256) + "entity A;"), "");
    EXPECT_EQ(of_schema(annotations(257) + "entity A;"), message);
    EXPECT_EQ(of_schema("@a @a entity A;"), "annotation `@a` stands twice");
}

TEST(Limits, four_signs_stand_in_a_row)
{
    EXPECT_EQ(of_condition("!!!!true"), "");
    EXPECT_EQ(of_condition("!!!!!true"), "more than four `!` in a row");
    EXPECT_EQ(of_condition("----context.a == 1"), "");
    EXPECT_EQ(of_condition("-----context.a == 1"), "more than four `-` in a row");
}

TEST(Limits, numbers_are_of_64_bits)
{
    EXPECT_EQ(of_condition("9223372036854775807 == -9223372036854775808"), "");
    EXPECT_EQ(of_condition("9223372036854775808 == 1"), "`9223372036854775808` is no number of 64 bits");
    EXPECT_EQ(of_condition("-9223372036854775809 == 1"), "`9223372036854775809` is no number of 64 bits");
}

// Words that say the same share what they say; those that only look alike do not.
TEST(Payloads, of_words_alike_are_kept_apart)
{
    auto const printed = [](std::string const& condition) {
        std::vector<SyntaxProblem> problems;
        auto const set = PolicySet::parse({ { "test", "permit (principal, action, resource) when { " + condition + " };" } }, problems);
        return problems.empty() ? to_string(set.policies()[0]->conditions[0].body) : problems[0].message;
    };
    for (std::string const condition : { R"(context.a == "a" && context["a"] == context["b c"] && "b c" like "b c")", R"(context has a && context has a.b && context has "a")",
             R"("a*" == context.x && context.x like "a*" && context.x like "a\*")", "1 == -1 && 1 == 1 && -1 == context.x",
             R"(principal is decimal && context.decimal == decimal("1.0"))", R"(principal is A::B && principal is A && context.A == "A::B")",
             R"("A" == "A" && context["A"] == context.A)" }) {
        auto const once = printed(condition);
        EXPECT_EQ(printed(once), once);
        std::vector<std::string> parts;
        for (std::size_t from = 0; from < condition.size();) {
            auto const to = std::min(condition.find(" && ", from), condition.size());
            parts.push_back(printed(condition.substr(from, to - from)));
            from = to + 4;
        }
        std::string joined;
        for (auto const& part : parts)
            joined += (joined.empty() ? "" : " && ") + part;
        EXPECT_EQ(once, joined) << condition;
    }
}

} // namespace
} // namespace writ::cedar
