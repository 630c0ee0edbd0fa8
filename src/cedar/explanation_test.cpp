// SPDX-License-Identifier: Apache-2.0
#include "cedar/explanation.h"

#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

PolicySet set_of(std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto set = PolicySet::parse({ { "test.cedar", text } }, problems);
    for (auto const& problem : problems)
        ADD_FAILURE() << problem.span.line << ":" << problem.span.column << ": " << problem.message;
    return set;
}

// One line a part: `outcome LINE text: fact is FOUND, WANTED; …`.
std::string lines_of(ExplainedPolicy const& policy)
{
    std::string text = policy.policy + " " + policy.path + ":" + std::to_string(policy.line) + "\n";
    for (auto const& part : policy.parts) {
        text += std::string(to_string(part.outcome)) + " " + std::to_string(part.line) + " " + part.text + ":";
        for (auto const& fact : part.facts)
            text += " " + fact.fact + " is " + fact.found + ", " + fact.wanted + ";";
        text += part.error.empty() ? "\n" : " " + part.error + "\n";
    }
    return text;
}

char const* const training = R"(@id("train")
permit (
  principal in Team::"oncology",
  action in [Action::"read", Action::"train"],
  resource is Dataset
)
when {
  resource.purpose.contains(context.purpose)
  && (resource.open || principal.hasTag("unix.user") && !resource.closed)
}
unless {
  context has risk && context.risk > 70
  || resource.embargoed
};
@id("embargo")
forbid (principal, action, resource) when { resource.embargoed };
)";

class Explanations : public testing::Test {
protected:
    Explanations()
    {
        entities_.add({ { "Workload", "trainer" }, {}, { { "unix.user", Value::set_of({ "ml" }) } }, { { "Team", "oncology" } } });
        entities_.add({ { "Dataset", "biopsies" },
            { { "purpose", Value::set_of({ "train" }) }, { "open", false }, { "closed", false }, { "embargoed", false } }, {}, {} });
        entities_.add({ { "Dataset", "sealed" }, { { "purpose", Value::set_of({ "train" }) }, { "open", true }, { "closed", true }, { "embargoed", true } }, {}, {} });
    }
    [[nodiscard]] Explanation of(std::string dataset, Record context) const
    {
        return explain({ { "Workload", "trainer" }, { "Action", "train" }, { "Dataset", std::move(dataset) }, std::move(context) }, policies_, entities_, 3);
    }

    EntityStore entities_;
    PolicySet policies_ = set_of(training);
};

TEST_F(Explanations, of_an_allow_name_each_part_that_held_with_its_place_and_the_values_found)
{
    auto const why = of("biopsies", { { "purpose", "train" } });
    ASSERT_TRUE(why.decision.allowed);
    ASSERT_EQ(why.determining.size(), 1U);
    EXPECT_TRUE(why.nearest.empty());
    EXPECT_EQ(lines_of(why.determining[0]), R"(train test.cedar:1
holds 3 principal in Team::"oncology": principal in Team is Team::"oncology", Team::"oncology";
holds 4 action in [Action::"read", Action::"train"]: action in Action is Action::"train", one of [Action::"read", Action::"train"];
holds 5 resource is Dataset: resource is Dataset::"biopsies", of type Dataset;
holds 8 when resource.purpose.contains(context.purpose): resource.purpose is ["train"], with "train";
holds 9 when resource.open || principal.hasTag("unix.user") && !resource.closed: principal.hasTag("unix.user") is present, present; resource.closed is false, not true;
holds 12 unless context has risk && context.risk > 70: context.risk is absent, not present;
holds 13 unless resource.embargoed: resource.embargoed is false, not true;
)");
}

TEST_F(Explanations, of_a_denial_show_in_the_nearest_permit_what_failed_and_what_held)
{
    auto const why = of("biopsies", { { "purpose", "sell" }, { "risk", 90 } });
    EXPECT_FALSE(why.decision.allowed);
    EXPECT_TRUE(why.determining.empty());
    ASSERT_EQ(why.nearest.size(), 1U);
    auto const& parts = why.nearest[0].parts;
    EXPECT_EQ(parts[0].outcome, Outcome::holds);
    EXPECT_EQ(parts[3].outcome, Outcome::fails);
    EXPECT_EQ(parts[3].facts.at(0).found, "[\"train\"]");
    EXPECT_EQ(parts[3].facts.at(0).wanted, "with \"sell\"");
    EXPECT_EQ(parts[5].outcome, Outcome::fails);
    EXPECT_EQ(parts[5].facts.at(0).fact, "context.risk");
    EXPECT_EQ(parts[5].facts.at(0).found, "90");
    EXPECT_EQ(parts[5].facts.at(0).wanted, "not > 70");
}

TEST_F(Explanations, of_a_forbid_that_decided_show_which_of_its_conditions_held)
{
    auto const why = of("sealed", { { "purpose", "train" } });
    EXPECT_FALSE(why.decision.allowed);
    ASSERT_EQ(why.determining.size(), 1U);
    EXPECT_EQ(lines_of(why.determining[0]), R"(embargo test.cedar:15
holds 16 principal: principal is Workload::"trainer", any;
holds 16 action: action is Action::"train", any;
holds 16 resource: resource is Dataset::"sealed", any;
holds 16 when resource.embargoed: resource.embargoed is true, true;
)");
}

TEST_F(Explanations, tell_what_errs_from_what_nobody_asked)
{
    auto const erring = of("biopsies", {});
    EXPECT_FALSE(erring.decision.allowed);
    ASSERT_EQ(erring.erring.size(), 1U);
    EXPECT_EQ(erring.erring[0].parts[3].outcome, Outcome::errs);
    EXPECT_EQ(erring.erring[0].parts[3].error, "context has no attribute `purpose`");

    auto const guarded = set_of(R"(permit (principal, action, resource) when { context has x && context.x > 1 };)");
    auto const why = explain({ { "A", "" }, { "Action", "" }, { "B", "" }, {} }, guarded, {}, 1);
    ASSERT_EQ(why.nearest.size(), 1U);
    EXPECT_EQ(why.nearest[0].parts[3].outcome, Outcome::fails);
    EXPECT_EQ(why.nearest[0].parts[4].outcome, Outcome::not_reached);
}

} // namespace
} // namespace writ::cedar
