// SPDX-License-Identifier: Apache-2.0
#include "cedar/work.h"

#include "cedar/engine.h"
#include "cedar/evaluator.h"

#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

std::string repeated(std::string const& operand, int count)
{
    std::string text;
    for (int i = 0; i < count; ++i)
        text += (i > 0 ? " && " : "") + operand;
    return text;
}

Value numbers(std::int64_t count)
{
    std::vector<Value> elements;
    for (std::int64_t i = 0; i < count; ++i)
        elements.emplace_back(i);
    return Value::set(std::move(elements));
}

Value groups(int count)
{
    std::vector<Value> elements;
    for (int i = 0; i < count; ++i)
        elements.emplace_back(EntityUid { "Group", std::to_string(i) });
    return Value::set(std::move(elements));
}

// Each looks at 10,000 elements, or at as much text.
struct Costly {
    char const* operand;
};
class Work : public testing::TestWithParam<Costly> {
protected:
    // What both engines say of the operand so many times over: `allow`, `deny`, or an error.
    std::string decided(int count)
    {
        std::vector<SyntaxProblem> problems;
        auto const policies = PolicySet::parse({ { "test", "permit (principal, action, resource) when { " + repeated(GetParam().operand, count) + " };" } }, problems);
        EXPECT_TRUE(problems.empty());
        Request const request { { "User", "u" }, { "Action", "a" }, { "Thing", "t" },
            { { "a", numbers(10'000) }, { "b", numbers(10'000) }, { "groups", groups(10'000) }, { "text", std::string(640'000, 'x') }, { "other", std::string(640'000, 'x') } } };
        EntityStore const entities;
        auto const plain = decide(request, policies, entities);
        auto const fast = Engine(policies, entities).decide(request);
        EXPECT_EQ(plain.allowed, fast.allowed);
        EXPECT_EQ(plain.errors.size(), fast.errors.size());
        return !plain.errors.empty() ? plain.errors[0].message : plain.allowed ? "allow" : "deny";
    }
};

TEST_P(Work, is_bounded_and_both_engines_agree_on_where)
{
    EXPECT_EQ(decided(1), "allow");
    EXPECT_EQ(decided(100), "allow");
    EXPECT_EQ(decided(101), "evaluation takes more than 1000000 steps");
}

INSTANTIATE_TEST_SUITE_P(OfOperations, Work,
    testing::Values(Costly { "context.a == context.b" }, Costly { "!(context.a != context.b)" }, Costly { "![0].containsAll(context.b)" },
        Costly { "![\"x\"].containsAny(context.b)" }, Costly { "![0].contains(context.a)" }, Costly { "!(principal in context.groups)" },
        Costly { "![context.a, 1].isEmpty()" }, Costly { "context.text == context.other" }, Costly { "!(context.text like \"xx\")" }),
    [](auto const& parameter) { return "case" + std::to_string(parameter.index); });

TEST(WorkOf, counts_elements_members_and_text_and_no_further_than_the_limit)
{
    EXPECT_EQ(work_of(Value(1)), 0U);
    EXPECT_EQ(work_of(Value("short")), 0U);
    EXPECT_EQ(work_of(Value(std::string(640, 'x'))), 10U);
    auto const nested = Value::set({ numbers(3), Value::record({ { "a", numbers(2) } }) });
    EXPECT_EQ(work_of(nested), 2U + 3U + 1U + 2U);
    EXPECT_EQ(work_of(Slot::of(nested)), work_of(nested));
    // A set in a set in a set… many times over is one value, and would be counted for ever.
    auto doubled = numbers(10);
    for (int i = 0; i < 60; ++i)
        doubled = Value::record({ { "a", doubled }, { "b", doubled } });
    EXPECT_GT(work_of(doubled), evaluation_work_max);
    EXPECT_LT(work_of(doubled), 2 * evaluation_work_max);
}

// What a policy brings itself costs a decision nothing, in either engine: here it would take the rest over the limit.
TEST(WorkOf, sets_that_policies_bring_are_free)
{
    std::string set = "[";
    for (int i = 0; i < 700; ++i)
        set += std::string(i > 0 ? ", " : "") + "\"" + std::string(700, 'y') + std::to_string(i) + "\"";
    auto const condition = repeated(set + "].contains(context.purpose)", 6) + " && " + repeated("context.a == context.b", 96);
    std::vector<SyntaxProblem> problems;
    auto const policies = PolicySet::parse({ { "test", "permit (principal, action, resource) when { " + condition + " };" } }, problems);
    ASSERT_TRUE(problems.empty());
    Request const request { { "User", "u" }, { "Action", "a" }, { "Thing", "t" },
        { { "purpose", std::string(700, 'y') + "7" }, { "a", numbers(10'000) }, { "b", numbers(10'000) } } };
    EntityStore const entities;
    EXPECT_TRUE(decide(request, policies, entities).allowed);
    EXPECT_TRUE(Engine(policies, entities).decide(request).allowed);
}

} // namespace
} // namespace writ::cedar
