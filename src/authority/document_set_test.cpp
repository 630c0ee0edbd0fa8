// SPDX-License-Identifier: Apache-2.0
#include "authority/document_set.h"

#include <gtest/gtest.h>

namespace writ::authority {
namespace {

constexpr auto two_datasets = R"(# what we have
kind: Dataset
name: a
---
kind: Dataset   # the second
name: b
purpose: [train]
)";

DocumentSet split(std::vector<Document> const& documents)
{
    std::vector<Problem> problems;
    auto set = split_documents(documents, problems);
    EXPECT_TRUE(problems.empty()) << to_string(problems.front());
    return set;
}

std::string first_problem(std::vector<Document> const& documents)
{
    std::vector<Problem> problems;
    split_documents(documents, problems);
    return problems.empty() ? "" : to_string(problems.front());
}

TEST(DocumentSet, keeps_each_declaration_as_it_was_written)
{
    auto const set = split({ { "data.yaml", two_datasets }, { "dir/rules.cedar", "permit(principal, action, resource);" } });
    ASSERT_EQ(set.size(), 3U);
    auto const& second = set.at({ "Dataset", "b" });
    EXPECT_EQ(second.first_line, 5);
    EXPECT_EQ(second.text, "kind: Dataset   # the second\nname: b\npurpose: [train]\n");
    EXPECT_TRUE(set.contains({ "Policies", "rules.cedar" }));
}

TEST(DocumentSet, takes_what_stands_behind_a_marker_as_part_of_its_document)
{
    auto const set = split({ { "x.yaml", "kind: Api\nname: one\n--- { kind: Api, name: two }\n--- # the third\nkind: Api\nname: three\n" } });
    EXPECT_TRUE(set.contains({ "Api", "one" }) && set.contains({ "Api", "two" }) && set.contains({ "Api", "three" }));
    EXPECT_EQ(set.at({ "Api", "two" }).first_line, 3);
    EXPECT_NE(first_problem({ { "x.yaml", "--- {kind: Forbidden, nonsense: [\n" } }), "");
    EXPECT_EQ(first_problem({ { "x.yaml", "---\nkind: Api\nname: a\n--- { kind: Api, nam: b }\n" } }), "x.yaml:4:5: a declaration needs the fields `kind` and `name`");
}

TEST(DocumentSet, survives_being_stored)
{
    auto const set = split({ { "data.yaml", two_datasets } });
    EXPECT_EQ(parse_document_set(to_text(set)).value(), set);
}

TEST(DocumentSet, problems_name_file_line_and_column)
{
    EXPECT_EQ(first_problem({ { "x.yaml", "kind: Dataset\nname: a\n---\nkind: Dataset\nname: b\nname: c\n" } }),
        "x.yaml:6:1: `name` is given twice");
    EXPECT_EQ(first_problem({ { "x.yaml", "\nkind: Dataset\n" } }), "x.yaml:2:1: a declaration needs the fields `kind` and `name`");
    EXPECT_NE(first_problem({ { "x.yaml", "kind: [\n" } }).find("x.yaml:2:"), std::string::npos);
    EXPECT_NE(first_problem({ { "x.yaml", two_datasets }, { "y.yml", "kind: Dataset\nname: a\n" } }).find("declared already, at x.yaml:1"),
        std::string::npos);
    EXPECT_NE(first_problem({ { "x.json", "{}" } }).find(".cedar"), std::string::npos);
}

TEST(DocumentSet, refuses_aliases_that_unfold_without_bound)
{
    std::string bomb = "kind: Dataset\nname: a\nl0: &l0 [x,x,x,x,x,x,x,x,x,x]\n";
    for (int level = 1; level < 10; ++level) {
        bomb += "l" + std::to_string(level) + ": &l" + std::to_string(level) + " [";
        for (int i = 0; i < 10; ++i)
            bomb += (i == 0 ? "*l" : ",*l") + std::to_string(level - 1);
        bomb += "]\n";
    }
    EXPECT_NE(first_problem({ { "bomb.yaml", bomb } }).find("more than 100000 values"), std::string::npos);
}

TEST(DocumentSet, refuses_characters_that_no_text_needs)
{
    for (auto const* text : { R"("bio\0psies")", R"("\e[2J")", R"("\x7f")" }) {
        auto const problem = first_problem({ { "a.yaml", std::string("kind: Dataset\nname: a\ntable: ") + text } });
        EXPECT_EQ(problem, "a.yaml:3:8: a text has no control characters") << text;
    }
    EXPECT_EQ(first_problem({ { "a.yaml", R"({kind: Dataset, name: a, "x\0y": 1})" } }), "a.yaml:1:26: a name has no control characters");
    EXPECT_EQ(first_problem({ { "a.yaml", "kind: Dataset\nname: a\npurpose: |\n  two\n  lines\n" } }), "");
}

TEST(DocumentSet, refuses_more_names_than_anybody_writes)
{
    std::string text = "kind: Dataset\nname: a\n";
    for (int i = 0; i < 1000; ++i)
        text += "k" + std::to_string(i) + ":\n";
    EXPECT_EQ(first_problem({ { "a.yaml", text } }), "a.yaml:1001:1: more than 1000 names");
}

TEST(DocumentSet, merging_says_what_changes)
{
    auto const current = split({ { "x.yaml", two_datasets } });
    auto const incoming = split({ { "y.yaml", "kind: Dataset\nname: b\npurpose: [care]\n---\nkind: Dataset\nname: c\n" } });

    auto const merge = merge_documents(current, incoming, false);
    ASSERT_EQ(merge.changes.size(), 2U);
    EXPECT_EQ(to_string(merge.changes[0].change), "update");
    EXPECT_EQ(to_string(merge.changes[1].change), "create");
    EXPECT_EQ(merge.documents.size(), 3U);

    auto const pruned = merge_documents(current, incoming, true);
    EXPECT_EQ(pruned.documents.size(), 2U);
    EXPECT_EQ(to_string(pruned.changes[0].change), "delete");

    EXPECT_FALSE(merge_documents(current, current, true).changes_anything());
}

} // namespace
} // namespace writ::authority
