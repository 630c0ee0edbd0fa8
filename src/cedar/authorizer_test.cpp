// SPDX-License-Identifier: Apache-2.0
#include "cedar/authorizer.h"

#include "cedar/ast.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

PolicySet set_of(std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto set = PolicySet::parse({ { "test.cedar", text } }, problems);
    for (auto const& problem : problems)
        ADD_FAILURE() << problem.span.line << ":" << problem.span.column << ": " << problem.message;
    return set;
}

char const* const oncology = R"(
@id("train on consented data")
permit (principal is Workload in Pipeline::"biopsy-classifier", action == Action::"lease", resource is Dataset)
when { resource.tenant == principal.tenant && ["train", "evaluate"].contains(context.purpose) }
unless { context has risk && context.risk > 70 };

@id("embargo")
forbid (principal, action, resource) when { resource.embargoed };
)";

class Oncology : public testing::Test {
protected:
    Oncology()
    {
        entities_.add({ { "Workload", "trainer" }, { { "tenant", "clinic" } }, {}, { { "Pipeline", "biopsy-classifier" } } });
        entities_.add({ { "Workload", "stranger" }, { { "tenant", "clinic" } }, {}, { { "Pipeline", "ads" } } });
        entities_.add({ { "Dataset", "biopsies" }, { { "tenant", "clinic" }, { "embargoed", false } }, {}, {} });
    }

    [[nodiscard]] Request request(std::string workload, std::string purpose) const
    {
        return { { "Workload", std::move(workload) }, { "Action", "lease" }, { "Dataset", "biopsies" }, { { "purpose", std::move(purpose) } } };
    }

    EntityStore entities_;
    PolicySet policies_ = set_of(oncology);
};

TEST_F(Oncology, allows_and_names_the_permit)
{
    auto const decision = decide(request("trainer", "train"), policies_, entities_);
    EXPECT_TRUE(decision.allowed);
    EXPECT_THAT(decision.determining, ElementsAre("train on consented data"));
    EXPECT_THAT(decision.errors, IsEmpty());
    EXPECT_THAT(explain_denial(request("trainer", "train"), policies_, entities_), IsEmpty());
}

TEST_F(Oncology, a_forbid_wins_and_is_what_determines)
{
    entities_.add({ { "Dataset", "biopsies" }, { { "tenant", "clinic" }, { "embargoed", true } }, {}, {} });
    auto const decision = decide(request("trainer", "train"), policies_, entities_);
    EXPECT_FALSE(decision.allowed);
    EXPECT_THAT(decision.determining, ElementsAre("embargo"));
    auto const why = explain_denial(request("trainer", "train"), policies_, entities_);
    ASSERT_EQ(why.size(), 1U);
    EXPECT_EQ(why[0].fact, "resource.embargoed");
    EXPECT_EQ(why[0].wanted, "not true");
}

TEST_F(Oncology, a_policy_that_errs_is_named_and_decides_nothing)
{
    entities_.add({ { "Dataset", "biopsies" }, { { "tenant", "clinic" } }, {}, {} });
    auto const decision = decide(request("trainer", "train"), policies_, entities_);
    EXPECT_TRUE(decision.allowed);
    ASSERT_EQ(decision.errors.size(), 1U);
    EXPECT_EQ(decision.errors[0].policy, "embargo");
    EXPECT_EQ(decision.errors[0].message, "`Dataset::\"biopsies\"` has no attribute `embargoed`");
}

TEST_F(Oncology, nothing_is_allowed_by_no_policy)
{
    auto const decision = decide(request("trainer", "train"), PolicySet(), entities_);
    EXPECT_FALSE(decision.allowed);
    EXPECT_THAT(decision.determining, IsEmpty());
    EXPECT_THAT(explain_denial(request("trainer", "train"), PolicySet(), entities_), IsEmpty());
}

TEST_F(Oncology, tells_the_purpose_that_was_wanted)
{
    auto const why = explain_denial(request("trainer", "sell"), policies_, entities_);
    ASSERT_EQ(why.size(), 1U);
    EXPECT_EQ(why[0].fact, "context.purpose");
    EXPECT_EQ(why[0].found, "\"sell\"");
    EXPECT_EQ(why[0].wanted, "one of [\"evaluate\", \"train\"]");
}

TEST_F(Oncology, tells_the_pipeline_that_was_wanted)
{
    auto const why = explain_denial(request("stranger", "train"), policies_, entities_);
    ASSERT_EQ(why.size(), 1U);
    EXPECT_EQ(why[0].fact, "principal in Pipeline");
    EXPECT_EQ(why[0].found, "Pipeline::\"ads\"");
    EXPECT_EQ(why[0].wanted, "Pipeline::\"biopsy-classifier\"");
}

TEST_F(Oncology, tells_an_unless_that_held)
{
    auto asked = request("trainer", "train");
    asked.context.emplace("risk", 90);
    auto const why = explain_denial(asked, policies_, entities_);
    ASSERT_EQ(why.size(), 1U);
    EXPECT_EQ(why[0].fact, "context.risk");
    EXPECT_EQ(why[0].found, "90");
    EXPECT_EQ(why[0].wanted, "not > 70");
}

TEST(Explain, a_missing_value_is_absent)
{
    auto const policies = set_of(R"(permit (principal, action, resource) when { context has score && context.score.greaterThan(decimal("0.90")) };)");
    auto const why = explain_denial({ { "A", "" }, { "Action", "" }, { "B", "" }, {} }, policies, {});
    ASSERT_EQ(why.size(), 1U);
    EXPECT_EQ(why[0].fact, "context.score");
    EXPECT_EQ(why[0].found, "absent");
    EXPECT_EQ(why[0].wanted, "> decimal(\"0.9\")");
}

TEST(PolicySetParsing, finds_all_problems_with_their_places)
{
    std::vector<SyntaxProblem> problems;
    auto const set = PolicySet::parse({ { "a.cedar", "permit (principal, action);\npermit (principal, action, resource);\n  forbid (principal, action == User::\"x\", resource);" },
                                          { "b.cedar", "@id(\"x\") permit (principal, action, resource);\n@id(\"x\") permit (principal, action, resource);" } },
        problems);
    EXPECT_EQ(set.size(), 0U);
    ASSERT_EQ(problems.size(), 3U);
    EXPECT_EQ(problems[0].message, "expected `,`, found `)`");
    EXPECT_EQ(problems[0].span.column, 26);
    EXPECT_EQ(problems[1].span.line, 3);
    EXPECT_EQ(problems[1].message, "`User::\"x\"` is no action: its type must be `Action`");
    EXPECT_EQ(problems[2].path, "b.cedar");
    EXPECT_EQ(problems[2].message, "two policies are called `x`");
}

TEST(PolicySetParsing, reads_every_form_of_scope)
{
    auto const set = set_of(R"(
permit (principal == U::"a", action == Action::"r", resource in F::"d",);
permit (principal in G::"a", action in [Action::"r", N::Action::"w",], resource is F);
permit (principal is U in G::"a", action in Action::"all", resource == F::"x");
permit (principal == ?principal, action, resource in ?resource); // a template decides nothing
)");
    EXPECT_EQ(set.size(), 3U);
    EXPECT_EQ(set.templates().size(), 1U);
}

} // namespace
} // namespace writ::cedar
