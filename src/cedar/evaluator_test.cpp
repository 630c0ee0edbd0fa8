// SPDX-License-Identifier: Apache-2.0
#include "cedar/evaluator.h"

#include "cedar/parser.h"
#include "cedar/printer.h"

#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

Policy parsed(std::string const& text)
{
    TokenStream tokens(text);
    auto policy = parse_policy(tokens);
    EXPECT_TRUE(policy.is_ok()) << text << ": " << (policy.is_ok() ? "" : policy.error().message);
    return policy.is_ok() ? std::move(policy).value() : Policy {};
}

class Evaluation : public testing::Test {
protected:
    Evaluation()
    {
        entities_.add({ { "User", "alice" }, { { "age", 41 }, { "home", Value::record({ { "city", "Basel" } }) } }, { { "team", "fraud" } }, { { "Team", "a" } } });
        entities_.add({ { "Team", "a" }, {}, {}, { { "Team", "all" } } });
        // A cycle must not hang anybody.
        entities_.add({ { "Team", "all" }, {}, {}, { { "Team", "a" } } });
        request_ = { { "User", "alice" }, { "Action", "read" }, { "File", "x" }, { { "ip", parse_ip_address("10.1.2.3").value() }, { "n", 7 } } };
    }

    std::string value_of(std::string const& expression)
    {
        std::string const text = "permit(principal,action,resource) when {" + expression + "};";
        TokenStream tokens(text);
        auto const policy = parse_policy(tokens);
        if (policy.is_error())
            return "syntax: " + policy.error().message;
        auto const value = Evaluator(request_, entities_).evaluate(policy->conditions[0].body);
        return value.is_ok() ? to_string(*value) : "error";
    }

    Request request_;
    EntityStore entities_;
};

TEST_F(Evaluation, gives_each_operator_its_value)
{
    struct Row {
        char const* expression;
        char const* value;
    };
    static constexpr Row rows[] = {
        { "1 + 2 * 3 - -4", "11" },
        { "-9223372036854775808", "-9223372036854775808" },
        { "9223372036854775807 + 1", "error" },
        { "-9223372036854775808 - 1", "error" },
        { "-(-9223372036854775808)", "error" },
        { "4611686018427387904 * 2", "error" },
        { "1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "true" },
        { "\"a\" < \"b\"", "error" },
        { "true || 1", "true" },
        { "false || 1", "error" },
        { "1 || true", "error" },
        { "false && 1", "false" },
        { "true && 1", "error" },
        { "!true", "false" },
        { "!!!!true", "true" },
        { "if true then 1 else 1 + \"\"", "1" },
        { "1 == \"1\"", "false" },
        { "[1, 2, 2] == [2, 1]", "true" },
        { "{a: 1, \"b c\": 2} == {\"b c\": 2, a: 1}", "true" },
        { "{a: {b: 1}}.a[\"b\"]", "1" },
        { "{a: 1} has a", "true" },
        { "{a: {b: {c: 1}}} has a.b.c", "true" },
        { "{a: {b: {c: 1}}} has a.c.c", "false" },
        { "{a: 1} has a.b", "error" },
        { "principal has home.city", "true" },
        { "resource has home", "false" },
        { "resource.home", "error" },
        { "principal.age", "41" },
        { "principal.hasTag(\"team\") && principal.getTag(\"team\") == \"fraud\"", "true" },
        { "resource.hasTag(\"team\")", "false" },
        { "principal.getTag(\"other\")", "error" },
        { "principal in Team::\"all\"", "true" },
        { "principal in [Team::\"none\", Team::\"a\"]", "true" },
        { "principal in [Team::\"a\", 1]", "error" },
        { "principal in User::\"alice\"", "true" },
        { "Team::\"a\" in principal", "false" },
        { "principal is User in Team::\"all\"", "true" },
        { "principal is Team in 1", "false" },
        { "principal is User in 1", "error" },
        { "[1, 2].contains(2)", "true" },
        { "[1, 2].containsAll([])", "true" },
        { "[1, 2].containsAny([])", "false" },
        { "[1, 2].containsAny([3, 2])", "true" },
        { "[].isEmpty()", "true" },
        { "\"oncology/biopsies\" like \"*/bio*s\"", "true" },
        { "\"a*c\" like \"a\\*c\"", "true" },
        { "\"abc\" like \"a\\*c\"", "false" },
        { "\"aab\" like \"a*ab*b\"", "false" },
        { "\"\" like \"**\"", "true" },
        { "\"\\u{1F600}\\x41\\0\\'\" == \"\\u{1f600}A\\u{0}'\"", "true" },
        { "decimal(\"0.91\").greaterThan(decimal(\"0.9000\"))", "true" },
        { "decimal(\"922337203685477.5807\") == decimal(\"922337203685477.5808\")", "error" },
        { "decimal(\"1.12345\")", "error" },
        { "decimal(\"1\")", "error" },
        { "decimal(\"1.0\", \"2.0\")", "error" },
        { "decimal(\"-0.5\")", "decimal(\"-0.5\")" },
        { "context.ip.isInRange(ip(\"10.0.0.0/8\"))", "true" },
        { "context.ip.isInRange(ip(\"::/0\"))", "false" },
        { "ip(\"127.0.0.1/7\").isLoopback()", "false" },
        { "ip(\"::1\").isLoopback() && ip(\"ff02::1\").isMulticast() && ip(\"1:2:3:4:5:6:7::\").isIpv6()", "true" },
        { "ip(\"::ffff:1.2.3.4\")", "error" },
        { "ip(\"1.2.3.04\")", "error" },
        { "ip(\"1:2:3:4:5:6:7::8\")", "error" },
        { "datetime(\"2024-02-29\").toDate() == datetime(\"2024-02-29T01:00:00+0100\")", "true" },
        { "datetime(\"2023-02-29\")", "error" },
        { "datetime(\"2024-01-01T00:00:60Z\")", "error" },
        { "datetime(\"1969-12-31T23:59:59.999Z\").toTime()", "duration(\"86399999ms\")" },
        { "datetime(\"1969-12-31T23:59:59.999Z\").toDate()", "datetime(\"1969-12-31T00:00:00.000Z\")" },
        { "datetime(\"2024-01-01\").offset(duration(\"1d\")) < datetime(\"2024-01-03\")", "true" },
        { "datetime(\"2024-01-02\").durationSince(datetime(\"2024-01-01\")).toHours()", "24" },
        { "duration(\"1d2h3m4s5ms\").toMilliseconds()", "93784005" },
        { "duration(\"-1m\").toSeconds()", "-60" },
        { "duration(\"1h1d\")", "error" },
        { "duration(\"\")", "error" },
        { "duration(\"9223372036854775808ms\")", "error" },
        { "duration(\"-9223372036854775808ms\").toMilliseconds()", "-9223372036854775808" },
    };
    for (auto const& row : rows)
        EXPECT_EQ(value_of(row.expression), row.value) << row.expression;
}

TEST_F(Evaluation, knows_every_function_of_the_extension_types)
{
    struct Row {
        char const* expression;
        char const* value;
    };
    static constexpr Row rows[] = {
        { R"(decimal("1.0").lessThan(decimal("1.0001")) && decimal("1.0").lessThanOrEqual(decimal("1.0000")))", "true" },
        { R"(decimal("-0.1").greaterThanOrEqual(decimal("-0.1")) && !decimal("-0.1").greaterThan(decimal("-0.1")))", "true" },
        { R"(decimal("-922337203685477.5808"))", R"(decimal("-922337203685477.5808"))" },
        { R"(decimal("1.0") == decimal("1.00") && decimal("1.0").lessThan(1))", "error" },
        { R"(ip("10.0.0.1").isIpv4() && !ip("10.0.0.1").isIpv6() && ip("224.0.0.1").isMulticast() && !ip("10.0.0.1").isMulticast())", "true" },
        { R"(ip("10.0.0.0/24").isInRange(ip("10.0.0.0/8")) && !ip("10.0.0.0/8").isInRange(ip("10.0.0.0/24")))", "true" },
        { R"(ip("10.0.0.1") == ip("10.0.0.1/32") && ip("::1") == ip("0:0:0:0:0:0:0:1/128"))", "true" },
        { R"(ip("10.0.0.1").isInRange("10.0.0.0/8"))", "error" },
        { R"(datetime("2024-01-01T01:02:03.004Z") == datetime("2024-01-01T02:02:03.004+0100"))", "true" },
        { R"(datetime("2024-01-01") <= datetime("2024-01-01") && datetime("2024-01-01") >= datetime("2023-12-31"))", "true" },
        { R"(datetime("2024-01-01T00:00:00+2400"))", "error" },
        { R"(datetime("2024-13-01"))", "error" },
        { R"(datetime("9999-12-31").offset(duration("9223372036854775807ms")))", "error" },
        { R"(datetime("1970-01-01").offset(duration("-9223372036854775808ms")).offset(duration("-1ms")))", "error" },
        { R"(datetime("1970-01-01").offset(duration("-9223372036854775808ms")).toDate())", "error" },
        { R"(datetime("9999-12-31").durationSince(datetime("1970-01-01").offset(duration("-9223372036854775808ms"))))", "error" },
        { R"(datetime("2024-01-01T10:20:30.400Z").toTime())", R"(duration("37230400ms"))" },
        { R"(duration("1d") == duration("24h") && duration("1h") > duration("59m59s999ms") && duration("-1d") < duration("0ms"))", "true" },
        { R"(duration("-90061001ms").toDays() + duration("-90061001ms").toHours() + duration("-90061001ms").toMinutes())", "-1527" },
        { R"(duration("1d2h").toSeconds())", "93600" },
        { R"(duration("1s") < 5)", "error" },
        { R"("10.0.0.1" == ip("10.0.0.1"))", "false" },
    };
    for (auto const& row : rows)
        EXPECT_EQ(value_of(row.expression), row.value) << row.expression;
}

TEST_F(Evaluation, resolves_every_escape_and_no_other)
{
    EXPECT_EQ(value_of(R"("\n\r\t\\\0\'\"\x41\u{41}\u{10FFFF}" == "\u{a}\u{D}\x09\x5c\x00'\u{22}AA\u{10ffff}")"), "true");
    EXPECT_EQ(value_of(R"("a*b" like "a\*b" && "a\\b" like "a\\*" && "\n" like "\n")"), "true");
    for (auto const* const wrong : { R"("\a")", R"("\*")", R"("\u{}")", R"("\u{1234567}")", R"("\u{110000}")", R"("\u41")", R"("\x4")", R"("\xff")", "\"\\" })
        EXPECT_TRUE(value_of(wrong).starts_with("syntax: ")) << wrong;
}

TEST_F(Evaluation, reserves_words)
{
    for (std::string const word : { "true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar" }) {
        EXPECT_TRUE(value_of("principal." + word).starts_with("syntax: ")) << word;
        EXPECT_TRUE(value_of("principal has " + word).starts_with("syntax: ")) << word;
        EXPECT_TRUE(value_of("principal is " + word).starts_with("syntax: ")) << word;
        EXPECT_TRUE(value_of(word + "::\"x\" == principal").starts_with("syntax: ")) << word;
        EXPECT_EQ(value_of("principal has \"" + word + "\""), "false") << word;
        EXPECT_EQ(value_of("principal[\"" + word + "\"]"), "error") << word;
    }
    // Words that only mean something where they stand are names elsewhere.
    for (std::string const word : { "permit", "forbid", "when", "unless", "principal", "action", "resource", "context" })
        EXPECT_EQ(value_of("principal has " + word), "false") << word;
}

TEST_F(Evaluation, refuses_what_is_not_the_language)
{
    for (auto const* const wrong : { "1 == 2 == 3", "1 / 2", "!!!!!true", "-----1", "9223372036854775808", "-9223372036854775809", "foo", "foo(1)", "contains(1)",
             "[1].ip()", "\"1.1.1.1\".ip()", "isIpv4(ip(\"\"))", "[1].contains()", "[1].foo()", "{a: 1, a: 2}", "principal.if", "context has 1", "\"\\q\"", "\"\\x80\"",
             "\"\\u{d800}\"", "if true then 1", "?principal", "principal like principal", "__cedar::T::\"x\"", "A::f(1)", "1 +", "(1", "", "principal[1]", "!-1" })
        EXPECT_TRUE(value_of(wrong).starts_with("syntax: ")) << wrong << " was " << value_of(wrong);
}

TEST_F(Evaluation, printed_expressions_parse_to_the_same)
{
    for (auto const* const text : { "a", "(1 + 2) * 3 - (4 - 5)", "-(1)", "-(-(1))", "--1", "!(!(true && false) || (if true then false else true))", "(1 == 2) == (3 == 4)",
             "(principal in [Team::\"a\\\"\"]) && (principal is User in Team::\"b\")", "{\"if\": [1, \"*\\n\"], a: {}}.a[\"x y\"]", "\"a\" like \"*\\*\\n*\"",
             "context has a.b", "context has \"a b\"", "(true && false) && true", "true && (false && true)", "(-1).x", "-1 + 2", "-principal.x", "!principal.x" }) {
        auto const wrapped = [](std::string const& body) { return "permit (principal, action, resource)\nwhen { " + body + " };"; };
        std::string const source = wrapped(std::string_view(text) == "a" ? "true" : text);
        auto const once = to_string(parsed(source));
        EXPECT_EQ(to_string(parsed(once)), once);
    }
}

TEST_F(Evaluation, nesting_has_a_limit)
{
    auto const nested = [&](std::size_t depth) { return value_of(std::string(depth, '(') + "true" + std::string(depth, ')')); };
    EXPECT_EQ(nested(expression_depth_max - 1), "true");
    EXPECT_NE(nested(expression_depth_max).find("nested deeper"), std::string::npos);
    std::string sum = "1";
    for (int i = 0; i < 300; ++i)
        sum += " + 1";
    EXPECT_NE(value_of(sum).find("nested deeper"), std::string::npos);
    std::string path = "a";
    for (int i = 0; i < 300; ++i)
        path += ".a";
    EXPECT_NE(value_of("context has " + path).find("nested deeper"), std::string::npos);
    std::string alternatives = "false";
    for (int i = 0; i < 20'000; ++i)
        alternatives += " || false";
    EXPECT_EQ(value_of(alternatives + " || true"), "true");
}

} // namespace
} // namespace writ::cedar
