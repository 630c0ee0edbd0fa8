// SPDX-License-Identifier: Apache-2.0
#include "cedar/formatter.h"

#include "cedar/random_world.h"

#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

std::string formatted(std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto result = format_policies({ "test", text }, problems);
    EXPECT_TRUE(problems.empty()) << text << problems[0].message;
    return result;
}

TEST(Formatter, lays_out_and_keeps_comments)
{
    auto const text = R"(// Readers.
@id("a")   permit(principal in   Team::"x",action in[Action::"read",Action::"write"],resource is Dataset) // who
when{context.purpose=="train"&&resource.purpose.contains(context.purpose)&&!resource.embargoed&&principal.hasTag("unix.user")
// the gate
&&resource has auc&&resource.auc.greaterThan(decimal("0.9"))} unless { -1<- context.x }; // end
forbid(principal,action,resource);
// last
)";
    auto const wanted = R"(// Readers.
@id("a")
permit (principal in Team::"x", action in [Action::"read", Action::"write"], resource is Dataset) // who
when {
  context.purpose == "train"
  && resource.purpose.contains(context.purpose)
  && !resource.embargoed
  && principal.hasTag("unix.user")
  // the gate
  && resource has auc
  && resource.auc.greaterThan(decimal("0.9"))
}
unless { -1 < -context.x }; // end

forbid (principal, action, resource);

// last
)";
    EXPECT_EQ(formatted(text), wanted);
    EXPECT_EQ(formatted(wanted), wanted);
}

TEST(Formatter, changes_nothing_when_run_again)
{
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        WorldGenerator make(seed);
        RandomWorld const world(make);
        auto source = world.source;
        // Comments in the oddest places: behind each third space outside of strings.
        std::string commented;
        bool is_inside = false;
        for (std::size_t i = 0; i < source.size(); ++i) {
            is_inside = is_inside != (source[i] == '"' && (i == 0 || source[i - 1] != '\\'));
            commented += source[i];
            if (source[i] == ' ' && !is_inside && make.below(30) == 0)
                commented += make.below(2) == 0 ? "// a comment\n" : "\n  // another\n\n";
        }
        for (auto const& text : { source, commented }) {
            auto const once = formatted(text);
            ASSERT_EQ(formatted(once), once) << "seed " << seed;
        }
    }
}

TEST(Formatter, leaves_what_does_not_parse)
{
    std::vector<SyntaxProblem> problems;
    EXPECT_EQ(format_policies({ "test", "permit (" }, problems), "permit (");
    EXPECT_EQ(problems.size(), 1U);
}

} // namespace
} // namespace writ::cedar
