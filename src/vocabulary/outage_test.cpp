// SPDX-License-Identifier: Apache-2.0
#include "vocabulary/outage.h"

#include "vocabulary/schema.h"

#include <gtest/gtest.h>

namespace writ::vocabulary {
namespace {

constexpr auto scope = R"(permit (principal, action == Action::"read", resource is Dataset);)";

std::vector<cedar::SyntaxProblem> problems_of(std::string const& text)
{
    std::vector<cedar::SyntaxProblem> problems;
    (void)parse_policies({ { "a.cedar", text } }, problems).size();
    return problems;
}

TEST(Outage, says_refuse_or_spool_and_nothing_else)
{
    for (auto const* const known : { "", "@outage(\"refuse\")\n", "@outage(\"spool\")\n" })
        EXPECT_TRUE(problems_of(known + std::string(scope)).empty()) << known;
    for (auto const* const unknown : { "@outage\n", "@outage(\"\")\n", "@outage(\"Spool\")\n", "@outage(\"spool \")\n", "@outage(\"allow\")\n" }) {
        auto const problems = problems_of("\n" + std::string(unknown) + scope);
        ASSERT_EQ(problems.size(), 1U) << unknown;
        EXPECT_EQ(problems[0].path, "a.cedar");
        EXPECT_EQ(problems[0].span.line, 2);
        EXPECT_NE(problems[0].message.find("`@outage` says `refuse` or `spool`"), std::string::npos) << problems[0].message;
    }
}

TEST(Outage, a_decision_is_spooled_when_all_that_determined_it_say_so)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto const policies = parse_policies({ { "a.cedar",
                                             "@id(\"a\") @outage(\"spool\")\n" + std::string(scope) + "@id(\"b\") @outage(\"refuse\")\n" + scope
                                                 + "@id(\"c\")\n" + scope + "@id(\"d\") @outage(\"spool\")\n" + scope } },
        problems);
    ASSERT_TRUE(problems.empty());
    auto const spooling = spooling_policies(policies);
    EXPECT_EQ(spooling, (std::set<std::string, std::less<>> { "a", "d" }));
    EXPECT_TRUE(may_spool(spooling, { "a" }));
    EXPECT_TRUE(may_spool(spooling, { "a", "d" }));
    EXPECT_FALSE(may_spool(spooling, { "a", "b" }));
    EXPECT_FALSE(may_spool(spooling, { "c" }));
    EXPECT_FALSE(may_spool(spooling, {}));
}

} // namespace
} // namespace writ::vocabulary
