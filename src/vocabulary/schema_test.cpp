// SPDX-License-Identifier: Apache-2.0
#include "vocabulary/schema.h"

#include <gtest/gtest.h>

using namespace writ;

namespace {

std::vector<cedar::SyntaxProblem> problems_of(std::string text)
{
    std::vector<cedar::SyntaxProblem> problems;
    (void)vocabulary::parse_policies({ { "a.cedar", std::move(text) } }, problems);
    return problems;
}

} // namespace

TEST(Vocabulary, knows_workloads_resources_and_actions)
{
    EXPECT_NE(vocabulary::schema().entity_type("Workload"), nullptr);
    for (auto const* action :
        { "read", "write", "train", "evaluate", "load", "infer", "deploy", "promote", "sign", "call", "connect", "administer" })
        EXPECT_NE(vocabulary::schema().action({ "Action", action }), nullptr) << action;
}

TEST(Vocabulary, accepts_what_can_be_decided)
{
    EXPECT_TRUE(problems_of(R"(permit (principal in Team::"oncology", action == Action::"read", resource is Dataset)
        when { resource.purpose.contains(context.purpose) && principal.hasTag("unix.user") && principal.getTag("unix.user").contains("ml") };)")
                    .empty());
}

TEST(Vocabulary, refuses_a_misspelt_attribute_with_its_place)
{
    auto const problems = problems_of(
        "permit (principal, action == Action::\"read\", resource is Dataset)\nwhen { resource.purposes.contains(\"train\") };");
    ASSERT_EQ(problems.size(), 1U);
    EXPECT_EQ(problems[0].path, "a.cedar");
    EXPECT_EQ(problems[0].span.line, 2);
    EXPECT_NE(problems[0].message.find("purpose"), std::string::npos) << problems[0].message;
}

TEST(Vocabulary, refuses_entities_and_actions_that_there_are_not)
{
    EXPECT_FALSE(problems_of("permit (principal is Robot, action, resource);").empty());
    EXPECT_FALSE(problems_of("permit (principal, action == Action::\"raed\", resource);").empty());
    EXPECT_FALSE(problems_of("permit (principal, action == Action::\"read\", resource is Model);").empty());
}
