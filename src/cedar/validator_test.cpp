// SPDX-License-Identifier: Apache-2.0
#include "cedar/validator.h"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>

namespace writ::cedar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string read_tree(std::string const& path)
{
    std::ifstream file(std::string(WRIT_TREE) + "/" + path);
    return { std::istreambuf_iterator<char>(file), {} };
}

Schema schema_of(std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto schema = Schema::parse({ { "test.cedarschema", text } }, problems);
    for (auto const& problem : problems)
        ADD_FAILURE() << problem.span.line << ":" << problem.span.column << ": " << problem.message;
    return schema ? *schema : Schema {};
}

PolicySet policies_of(std::string const& text)
{
    std::vector<SyntaxProblem> problems;
    auto set = PolicySet::parse({ { "test.cedar", text } }, problems);
    EXPECT_TRUE(problems.empty()) << text;
    return set;
}

class Shipped : public testing::Test {
protected:
    Schema schema_ = schema_of(read_tree("policies/writ.cedarschema"));

    std::vector<std::string> problems_of(std::string const& policy, ValidationMode mode = ValidationMode::strict)
    {
        std::vector<std::string> messages;
        for (auto const& problem : validate(policies_of(policy), schema_, mode))
            messages.push_back(problem.message);
        return messages;
    }
};

TEST_F(Shipped, the_example_follows_the_schema)
{
    EXPECT_THAT(problems_of(read_tree("examples/oncology/policies.cedar")), IsEmpty());
}

TEST_F(Shipped, a_gate_asks_whether_a_metric_was_measured)
{
    auto const gate = [&](std::string const& condition) {
        return problems_of("permit (principal, action == Action::\"load\", resource is ModelVersion) when { " + condition + " };");
    };
    EXPECT_THAT(gate("resource.signed && resource has auc && resource.auc.greaterThan(decimal(\"0.9\"))"), IsEmpty());
    EXPECT_THAT(gate("resource.signed && resource.auc.greaterThan(decimal(\"0.9\"))"),
        ElementsAre("the attribute `auc` of a ModelVersion may be absent: ask `resource has auc` first"));
    EXPECT_THAT(gate("resource has auc && resource.auc > 0"), ElementsAre("expected Long, found decimal; decimals are compared with `lessThan`, `greaterThanOrEqual` and the like"));
}

TEST_F(Shipped, a_misspelt_name_gets_a_suggestion)
{
    EXPECT_THAT(problems_of(R"(permit (principal, action == Action::"read", resource is Dataset) when { resource.clasification.contains("pii") };)"),
        ElementsAre("a Dataset has no attribute `clasification`; did you mean `classification`?"));
    EXPECT_THAT(problems_of(R"(permit (principal is Workloads, action == Action::"raed", resource);)"),
        ElementsAre("there is no entity type `Workloads`; did you mean `Workload`?", "there is no action `Action::\"raed\"`; did you mean `Action::\"read\"`?",
            "no action in this scope applies to such a principal and resource"));
}

TEST_F(Shipped, requests_and_entities_are_held_to_it)
{
    Record const context { { "purpose", "train" }, { "run", "" }, { "time", Datetime { 0 } }, { "posture", Value::record({ { "image_signed", true } }) } };
    Request request { { "Workload", "w" }, { "Action", "read" }, { "Dataset", "d" }, context };
    EXPECT_TRUE(validate_request(request, schema_).is_ok());
    request.context.insert_or_assign("purpose", 7);
    EXPECT_EQ(validate_request(request, schema_).error().message, "context: attribute `purpose`: expected String, found 7");
    request.context.erase("purpose");
    EXPECT_EQ(validate_request(request, schema_).error().message, "context: attribute `purpose` is missing");
    request.context = context;
    request.action.id = "load";
    EXPECT_FALSE(validate_request(request, schema_).is_ok());

    Entity workload { { "Workload", "w" }, { { "name", "w" }, { "pipeline", "" }, { "team", "" } }, { { "unix.user", Value::set_of({ "ml" }) } }, { { "Team", "a" } } };
    EXPECT_TRUE(validate_entity(workload, schema_).is_ok());
    workload.parents.push_back({ "Dataset", "d" });
    EXPECT_FALSE(validate_entity(workload, schema_).is_ok());
    workload.parents.pop_back();
    workload.tags.insert_or_assign("unix.user", "ml");
    EXPECT_FALSE(validate_entity(workload, schema_).is_ok());
}

char const* const small_schema = R"(
namespace Shop {
  type Money = { amount: Long, currency?: String };
  entity Kind enum ["book", "toy"];
  entity Group in [Group];
  @doc("who buys")
  entity Customer in Group { age: Long, "first name"?: String, spent: Money, kind: Kind } tags Long;
  entity Item = { price: decimal, seller: Customer };
  action browse;
  action "look at", buy in [browse] appliesTo { principal: Customer, resource: [Item], context: { when: datetime, ip?: ipaddr } };
}
)";

TEST(Validate, reports_each_kind_of_mistake)
{
    auto const schema = schema_of(small_schema);
    auto const first = [&](std::string const& condition, ValidationMode mode = ValidationMode::strict) {
        auto const problems
            = validate(policies_of("permit (principal, action == Shop::Action::\"buy\", resource) when { " + condition + " };"), schema, mode);
        return problems.empty() ? "" : problems[0].message;
    };
    EXPECT_EQ(first("principal.spent.amount > 10 && resource.price.lessThan(decimal(\"2.0\"))"), "");
    EXPECT_EQ(first("principal.age + \"1\" == 2"), "expected Long, found String");
    EXPECT_EQ(first("principal[\"first name\"] == \"a\""), "the attribute `first name` of a Shop::Customer may be absent: ask `principal has \"first name\"` first");
    EXPECT_EQ(first("principal has \"first name\" && principal[\"first name\"] == \"a\""), "");
    EXPECT_EQ(first("principal has \"first name\" || principal[\"first name\"] == \"a\"").substr(0, 13), "the attribute");
    EXPECT_EQ(first("principal.spent has currency && principal.spent.currency == \"x\""), "");
    EXPECT_EQ(first("context.ip.isLoopback()").substr(0, 13), "the attribute");
    EXPECT_EQ(first("context has ip && context.ip.isInRange(ip(\"10.0.0.0/33\"))"), "`10.0.0.0/33` is no IP address");
    EXPECT_EQ(first("[1, \"a\"].contains(1)"), "the elements of a set must be of one type: found Long, String");
    EXPECT_EQ(first("[].contains(1)"), "an empty set has no type: strict validation forbids it");
    EXPECT_EQ(first("[].contains(1)", ValidationMode::permissive), "");
    EXPECT_EQ(first("principal.age == \"x\""), "the types Long and String are not compatible");
    EXPECT_EQ(first("principal.age == \"x\"", ValidationMode::permissive), "");
    EXPECT_EQ(first("principal.getTag(\"points\") > 3").substr(0, 7), "the tag");
    EXPECT_EQ(first("principal.hasTag(\"points\") && principal.getTag(\"points\") > 3"), "");
    EXPECT_EQ(first("principal.kind == Shop::Kind::\"car\""), "`Shop::Kind::\"car\"` is none of the choices of `Shop::Kind`");
    EXPECT_EQ(first("if principal is Shop::Item then principal.nothing else true"), "");
    EXPECT_EQ(first("action in Shop::Action::\"browse\""), "");
    EXPECT_EQ(first("decimal(principal.age)"), "`decimal` must be called with a literal, so that its text can be checked");
    EXPECT_EQ(first("1"), "expected Bool, found Long");
}

TEST(Messages, suggest_the_name_that_was_meant)
{
    auto const schema = schema_of(small_schema);
    auto const parse_problem = [](std::string const& condition) {
        std::vector<SyntaxProblem> problems;
        (void)PolicySet::parse({ { "a.cedar", "permit (principal, action, resource)\nwhen { " + condition + " };" } }, problems);
        EXPECT_EQ(problems.size(), 1U);
        return problems.empty() ? "" : std::to_string(problems[0].span.line) + ":" + std::to_string(problems[0].span.column) + ": " + problems[0].message;
    };
    EXPECT_EQ(parse_problem("context.ip.isLoopbak()"), "2:19: `isLoopbak` is no method; did you mean `isLoopback`?");
    EXPECT_EQ(parse_problem("context.list.containsAl([1])"), "2:21: `containsAl` is no method; did you mean `containsAll`?");
    EXPECT_EQ(parse_problem("dezimal(\"1.0\") == context.x"), "2:8: `dezimal` is no function; did you mean `decimal`?");
    EXPECT_EQ(parse_problem("lessThan(1, 2)"), "2:8: `lessThan` is a method: write `x.lessThan(…)`");

    auto const problem_of = [&](std::string const& policy) { return validate(policies_of(policy), schema).at(0).message; };
    EXPECT_EQ(problem_of("permit (principal is Shop::Custmer, action, resource);"), "there is no entity type `Shop::Custmer`; did you mean `Shop::Customer`?");
    EXPECT_EQ(problem_of("permit (principal, action == Shop::Action::\"bui\", resource);"), "there is no action `Shop::Action::\"bui\"`; did you mean `Shop::Action::\"buy\"`?");
    EXPECT_EQ(problem_of("permit (principal, action == Shop::Action::\"buy\", resource) when { resource.prise == decimal(\"1.0\") };"),
        "a Shop::Item has no attribute `prise`; did you mean `price`?");

    Request const request { { "Shop::Customer", "c" }, { "Shop::Action", "bui" }, { "Shop::Item", "i" }, {} };
    EXPECT_EQ(validate_request(request, schema).error().message, "there is no action `Shop::Action::\"bui\"`; did you mean `Shop::Action::\"buy\"`?");
    Request const turned { { "Shop::Item", "i" }, { "Shop::Action", "buy" }, { "Shop::Item", "i" }, {} };
    EXPECT_EQ(validate_request(turned, schema).error().message, "`Shop::Action::\"buy\"` is not for a principal of type `Shop::Item`: expected `Shop::Customer`");
    EXPECT_EQ(validate_entity({ { "Shop::Itm", "i" }, {}, {}, {} }, schema).error().message,
        "entity `Shop::Itm::\"i\"`: there is no entity type `Shop::Itm`; did you mean `Shop::Item`?");

    std::vector<SyntaxProblem> problems;
    EXPECT_FALSE(Schema::parse({ { "s", "entity Team;\nentity User in [Tem] = { age: Lang, boss: Usr };" } }, problems));
    ASSERT_EQ(problems.size(), 3U);
    EXPECT_EQ(problems[0].message, "there is no type `Lang`; did you mean `Long`?");
    EXPECT_EQ(problems[0].span.line, 2);
    EXPECT_EQ(problems[1].message, "there is no type `Usr`; did you mean `User`?");
    EXPECT_EQ(problems[2].message, "there is no entity type `Tem`; did you mean `Team`?");
}

TEST(SchemaParsing, finds_all_problems_with_their_places)
{
    std::vector<SyntaxProblem> problems;
    EXPECT_FALSE(Schema::parse({ { "a", "entity A = { x: Nothing };\nentity A;\nentity B in [C];\naction a appliesTo { principal: [A], resource: [D] };" } }, problems));
    std::vector<std::string> messages;
    for (auto const& problem : problems)
        messages.push_back(problem.message);
    EXPECT_THAT(messages,
        ElementsAre("entity type `A` is declared twice", "there is no type `Nothing`", "there is no entity type `C`", "there is no entity type `D`"));
    problems.clear();
    EXPECT_FALSE(Schema::parse({ { "a", "type A = Set<B>; type B = { a: A };" } }, problems));
    EXPECT_EQ(problems[0].message, "type `A` contains itself");
    problems.clear();
    EXPECT_FALSE(Schema::parse({ { "a", "entity A\nentity B;\nentity C {" } }, problems));
    EXPECT_EQ(problems.size(), 2U);
}

} // namespace
} // namespace writ::cedar
