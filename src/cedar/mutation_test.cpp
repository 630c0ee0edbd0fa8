// SPDX-License-Identifier: Apache-2.0
#include "cedar/mutation.h"

#include "cedar/printer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

std::vector<std::string> mutated(std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto const set = PolicySet::parse({ { "test", text } }, problems);
    EXPECT_TRUE(problems.empty());
    std::vector<std::string> made;
    for (auto const& mutation : mutations_of(*set.policies()[0])) {
        auto printed = to_string(mutation.policy);
        std::replace(printed.begin(), printed.end(), '\n', ' ');
        made.push_back(mutation.what + ": " + printed);
    }
    return made;
}

TEST(Mutations, drop_each_part_of_the_scope_and_each_action_of_a_list)
{
    EXPECT_THAT(mutated(R"(permit (principal in Team::"a", action in [Action::"x", Action::"y"], resource is Dataset);)"),
        testing::ElementsAre(R"(any principal: permit (principal, action in [Action::"x", Action::"y"], resource is Dataset);)",
            R"(any action: permit (principal in Team::"a", action, resource is Dataset);)",
            R"(without `Action::"x"`: permit (principal in Team::"a", action in [Action::"y"], resource is Dataset);)",
            R"(without `Action::"y"`: permit (principal in Team::"a", action in [Action::"x"], resource is Dataset);)",
            R"(any resource: permit (principal in Team::"a", action in [Action::"x", Action::"y"], resource);)"));
}

TEST(Mutations, drop_and_turn_each_operand_of_a_condition_however_deep)
{
    EXPECT_THAT(mutated("permit (principal, action, resource) unless { context.a && !(context.b || context.c) };"),
        testing::ElementsAre("without `context.a && !(context.b || context.c)`: permit (principal, action, resource);",
            "without `context.a`: permit (principal, action, resource) unless { !(context.b || context.c) };",
            "not `context.a`: permit (principal, action, resource) unless { !context.a && !(context.b || context.c) };",
            "without `!(context.b || context.c)`: permit (principal, action, resource) unless { context.a };",
            "without `context.b`: permit (principal, action, resource) unless { context.a && !context.c };",
            "not `context.b`: permit (principal, action, resource) unless { context.a && !(!context.b || context.c) };",
            "without `context.c`: permit (principal, action, resource) unless { context.a && !context.b };",
            "not `context.c`: permit (principal, action, resource) unless { context.a && !(context.b || !context.c) };"));
}

} // namespace
} // namespace writ::cedar
