// SPDX-License-Identifier: Apache-2.0
#include "cedar/policy_json.h"

#include "cedar/printer.h"
#include "cedar/random_world.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

using testing::HasSubstr;

PolicySet parsed(std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto set = PolicySet::parse({ { "test", text } }, problems);
    for (auto const& problem : problems)
        ADD_FAILURE() << problem.message;
    return set;
}

std::string message_of(std::string const& json)
{
    auto const value = parse_json(json);
    EXPECT_TRUE(value.is_ok()) << json;
    auto const set = parse_policy_set_json(*value);
    return set.is_ok() ? "" : set.error().message;
}

char const* const templates = R"(@id("reads") permit (principal in ?principal, action == Action::"read", resource == ?resource) when { context.ok };
@id("one slot") forbid (principal == ?principal, action, resource is Dataset in Team::"x");
@id("plain") permit (principal, action, resource);)";

TEST(Templates, decide_nothing_until_they_are_linked)
{
    auto set = parsed(templates);
    EXPECT_EQ(set.size(), 1U);
    EXPECT_EQ(set.templates().size(), 2U);

    auto const linked = link(set, { "reads", "oncology reads", EntityUid { "Team", "oncology" }, EntityUid { "Dataset", "biopsies" } });
    ASSERT_TRUE(linked.is_ok());
    ASSERT_EQ(linked->size(), 2U);
    EXPECT_EQ(to_string(*linked->policies()[1]),
        "@id(\"reads\")\npermit (principal in Team::\"oncology\", action == Action::\"read\", resource == Dataset::\"biopsies\")\nwhen { context.ok };");
    EntityStore entities;
    entities.add({ { "Workload", "w" }, {}, {}, { { "Team", "oncology" } } });
    Request const request { { "Workload", "w" }, { "Action", "read" }, { "Dataset", "biopsies" }, { { "ok", true } } };
    EXPECT_THAT(decide(request, *linked, entities).determining, testing::ElementsAre("plain", "oncology reads"));
    EXPECT_THAT(decide(request, set, entities).determining, testing::ElementsAre("plain"));
}

TEST(Templates, are_linked_with_each_slot_filled_and_no_other)
{
    auto const set = parsed(templates);
    EntityUid const one { "Team", "x" };
    EXPECT_EQ(link(set, { "nothing", "new", one, one }).error().code, ErrorCode::not_found);
    EXPECT_EQ(link(set, { "reads", "plain", one, one }).error().code, ErrorCode::conflict);
    EXPECT_EQ(link(set, { "reads", "new", one, std::nullopt }).error().message, "slot `?resource` is not filled");
    EXPECT_EQ(link(set, { "one slot", "new", one, one }).error().message, "slot `?resource` is not in the template");
    EXPECT_EQ(link(set, { "plain", "new", std::nullopt, std::nullopt }).error().code, ErrorCode::not_found);
}

TEST(PolicySetJson, keeps_policies_templates_and_links)
{
    auto set = parsed(templates);
    set = *link(set, { "reads", "a", EntityUid { "Team", "x" }, EntityUid { "Dataset", "y" } });
    set = *link(set, { "one slot", "b", EntityUid { "Team", "z" }, std::nullopt });
    auto const json = to_json(set);
    EXPECT_EQ(to_text(json.at("templateLinks")),
        R"([{"templateId":"reads","newId":"a","values":{"?principal":{"type":"Team","id":"x"},"?resource":{"type":"Dataset","id":"y"}}},)"
        R"({"templateId":"one slot","newId":"b","values":{"?principal":{"type":"Team","id":"z"}}}])");
    auto const again = parse_policy_set_json(json);
    ASSERT_TRUE(again.is_ok()) << again.error().message;
    EXPECT_EQ(to_json(*again), json);
    ASSERT_EQ(again->size(), 3U);
    EXPECT_EQ(to_string(*again->policies()[2]), to_string(*set.policies()[2]));
}

TEST(PolicySetJson, of_a_chain_is_as_long_as_it_is)
{
    std::string text = "permit (principal, action, resource) when { context.a0";
    for (int i = 1; i < 1000; ++i)
        text += " && context.a" + std::to_string(i);
    std::vector<SyntaxProblem> problems;
    auto const set = PolicySet::parse({ { "test", text + " };" } }, problems);
    ASSERT_TRUE(problems.empty());
    auto const again = parse_policy_set_json(to_json(set));
    ASSERT_TRUE(again.is_ok()) << again.error().message;
    EXPECT_EQ(to_string(*again->policies()[0]), to_string(*set.policies()[0]));
    EXPECT_EQ(again->policies()[0]->conditions[0].body.children.size(), 1000U);
}

TEST(PolicySetJson, of_random_policies_is_read_to_the_same)
{
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
        WorldGenerator make(seed);
        RandomWorld const world(make);
        auto const set = parsed(world.source);
        auto const json = to_json(set);
        auto const again = parse_policy_set_json(json);
        ASSERT_TRUE(again.is_ok()) << "seed " << seed << ": " << again.error().message;
        ASSERT_EQ(to_json(*again), json) << "seed " << seed;
    }
}

TEST(PolicySetJson, refuses_what_is_misspelt_or_missing)
{
    EXPECT_EQ(message_of(R"({"staticPolicies": {}, "templates": {}, "templateLinks": []})"), "");
    EXPECT_THAT(message_of(R"({"staticPolicies": {}, "templates": {}})"), HasSubstr("templateLinks"));
    EXPECT_THAT(message_of(R"({"staticPolicies": {}, "templates": {}, "links": []})"), HasSubstr("`links`"));
    EXPECT_THAT(message_of(R"({"Xeffect": "permit"})"), HasSubstr("`Xeffect`"));
    auto const with = [](std::string const& member) {
        return R"({"templates": {}, "templateLinks": [], "staticPolicies": {"p": {"effect": "permit", "principal": {"op": "all"}, "action": {"op": "All"}, )"
               R"("resource": {"op": "All"})" + member + "}}}";
    };
    EXPECT_EQ(message_of(with(R"(, "conditions": [])")), "");
    EXPECT_THAT(message_of(with("")), HasSubstr("conditions"));
    EXPECT_THAT(message_of(with(R"(, "condition": [], "conditions": [])")), HasSubstr("policy `p`: a policy has no member `condition`"));
    EXPECT_THAT(message_of(with(R"(, "conditions": [{"kind": "when", "boddy": {"Value": true}}])")), HasSubstr("`boddy`"));
    EXPECT_THAT(message_of(with(R"(, "conditions": [{"kind": "when", "body": {"Slot": "?principal"}}])")), HasSubstr("slot"));
    EXPECT_THAT(message_of(R"({"templates": {}, "staticPolicies": {}, "templateLinks": [{"templateId": "t", "newId": "n", "values": {}}]})"), HasSubstr("no template `t`"));
}

} // namespace
} // namespace writ::cedar
