// SPDX-License-Identifier: Apache-2.0
#include "cli/golden_table.h"

#include "cli/policy_output.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>

namespace writ::cli {
namespace {

cedar::PolicySet policies_of(std::string const& text)
{
    std::vector<cedar::SyntaxProblem> problems;
    auto set = cedar::PolicySet::parse({ { "test.cedar", text } }, problems);
    EXPECT_TRUE(problems.empty());
    return set;
}

std::string const table = R"({"entities": [{"uid": {"type": "Dataset", "id": "d"}, "attrs": {"name": "d", "classification": [], "purpose": ["train"], "location": "x"}, "parents": []}],
"decisions": [{"principal": "Workload::\"w\"", "action": "read", "resource": "Dataset::\"d\"", "context": {"purpose": "train"}, "decision": "allow", "policies": ["reads"]}]})";

TEST(GoldenTable, holds_or_says_which_row_does_not)
{
    auto const golden = parse_golden_table(table).value();
    EXPECT_TRUE(failures_of(golden, policies_of(R"(@id("reads") permit (principal, action, resource);)")).empty());
    auto const failures = failures_of(golden, policies_of(R"(@id("reads") permit (principal, action, resource) when { context.purpose == "sell" };)"));
    ASSERT_EQ(failures.size(), 1U);
    EXPECT_FALSE(failures[0].decision.allowed);
    EXPECT_EQ(failures[0].missing.at(0).fact, "context.purpose");
    EXPECT_EQ(failures_of(golden, policies_of(R"(@id("other") permit (principal, action, resource);)")).size(), 1U);
}

TEST(GoldenTable, a_policy_that_errs_fails_the_row_that_does_not_name_it)
{
    auto const policies = policies_of(R"(@id("reads") permit (principal, action, resource);
@id("errs") permit (principal, action, resource) when { resource.nothing };)");
    EXPECT_EQ(failures_of(parse_golden_table(table).value(), policies).size(), 1U);
    auto named = table;
    named.insert(named.find("\"policies\""), "\"errors\": [\"errs\"], ");
    EXPECT_TRUE(failures_of(parse_golden_table(named).value(), policies).empty());
}

TEST(GoldenTable, of_too_few_rows_does_not_notice_each_change)
{
    auto const golden = parse_golden_table(table).value();
    auto const policies = policies_of(R"(@id("reads") permit (principal, action == Action::"read", resource) when { resource.purpose.contains(context.purpose) };)");
    auto const mutations = try_mutations({ golden }, policies);
    EXPECT_EQ(mutations.tried, 4U);
    std::vector<std::string> unnoticed;
    for (auto const& one : mutations.unnoticed)
        unnoticed.push_back(one.what);
    EXPECT_THAT(unnoticed, testing::ElementsAre("any action", "without `resource.purpose.contains(context.purpose)`"));
}

class Shipped : public testing::TestWithParam<std::string> { };

// Each condition of the policies that ship matters to some row of the table beside them.
TEST_P(Shipped, table_holds_and_notices_every_change_to_its_policies)
{
    auto const folder = std::string(WRIT_TREE) + "/policies/examples/" + GetParam();
    auto const policies = read_policies({ folder });
    ASSERT_TRUE(policies.is_ok());
    std::vector<GoldenTable> tables;
    for (auto const& file : tables_below(folder).value())
        tables.push_back(read_golden_table(file).value());
    for (auto const& golden : tables)
        for (auto const& failure : failures_of(golden, *policies))
            ADD_FAILURE() << failure.row->name;
    auto const mutations = try_mutations(tables, *policies);
    EXPECT_GT(mutations.tried, 0U);
    for (auto const& one : mutations.unnoticed)
        ADD_FAILURE() << one.path << ":" << one.line << ": " << one.policy << " " << one.what;
}

INSTANTIATE_TEST_SUITE_P(Examples, Shipped, testing::Values("teams", "purpose", "model-gates", "time-and-place", "break-glass", "dataset-versions"),
    [](auto const& parameter) {
        auto name = parameter.param;
        std::replace(name.begin(), name.end(), '-', '_');
        return name;
    });

} // namespace
} // namespace writ::cli
