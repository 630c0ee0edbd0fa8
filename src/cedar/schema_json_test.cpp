// SPDX-License-Identifier: Apache-2.0
#include "cedar/schema_syntax.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace writ::cedar {
namespace {

using testing::HasSubstr;

std::string schema_with(std::string const& annotations)
{
    return R"({"": {"entityTypes": {"A": {"annotations": )" + annotations
        + R"(, "shape": {"type": "Record", "attributes": {"n": {"type": "Long", "annotations": )" + annotations + "}}}}}, \"actions\": {}}}";
}

std::string message_of(std::string const& annotations)
{
    auto const syntax = parse_schema_json(parse_json(schema_with(annotations)).value());
    return syntax.is_ok() ? "" : syntax.error().message;
}

TEST(SchemaJson, is_printed_so_that_it_reads_back)
{
    auto const syntax = parse_schema_json(parse_json(schema_with(R"({"doc": "of \u0018 and \"", "if": ""})")).value()).value();
    std::vector<SyntaxProblem> problems;
    auto const again = parse_schema_syntax({ "printed", to_string(syntax) }, problems);
    EXPECT_TRUE(problems.empty());
    EXPECT_EQ(to_string(again), to_string(syntax));
}

// A fuzzer's find: printed in Cedar's syntax such a name could not be read again.
TEST(SchemaJson, an_annotations_name_is_an_identifier_and_its_value_a_text)
{
    EXPECT_EQ(message_of(R"({"a_1": "x", "in": null})"), "");
    for (auto const* name : { "q:", "", "1", "a b", "a::b", "\\u0018" })
        EXPECT_THAT(message_of(std::string("{\"") + name + "\": \"\"}"), HasSubstr("is no annotation's name")) << name;
    EXPECT_THAT(message_of(R"({"a": 1})"), HasSubstr("annotation `a` must be a string"));
}

} // namespace
} // namespace writ::cedar
