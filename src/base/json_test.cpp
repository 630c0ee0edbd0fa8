// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "base/json_document.h"

#include <gtest/gtest.h>

namespace writ {
namespace {

TEST(Json, round_trips_a_document)
{
    constexpr auto text = R"({"a":[1,-2,{"b":null,"c":true}],"d":"\u00e9\n","e":{}})";
    auto const value = parse_json(text);
    ASSERT_TRUE(value.is_ok()) << value.error().message;
    EXPECT_EQ(value->at_pointer("/a/2/c").as_bool(), true);
    EXPECT_EQ(parse_json(to_text(*value)).value(), *value);
}

TEST(Json, refuses_duplicate_names_at_any_depth)
{
    for (auto const* text : { R"({"sub":"a","sub":"b"})", R"({"a":[{"x":1,"y":2,"x":3}]})", R"({"a":1,"\u0061":2})" }) {
        auto const value = parse_json(text);
        ASSERT_TRUE(value.is_error()) << text;
        EXPECT_NE(value.error().message.find("duplicate name"), std::string::npos) << value.error().message;
    }
}

TEST(Json, refuses_malformed_text)
{
    for (auto const* text : { "", "{", "{}x", "[1,]", "{\"a\":}", "\"\xff\"", "01", "nul", "{} {}", "[1]//c" })
        EXPECT_TRUE(parse_json(text).is_error()) << text;
}

TEST(Json, holds_its_limits)
{
    EXPECT_TRUE(parse_json(std::string(33, '[') + std::string(33, ']')).is_error());
    EXPECT_EQ(parse_json("[1,2,3]", { .size_max = 4 }).error().code, ErrorCode::resource_exhausted);
}

TEST(Json, members_are_typed)
{
    auto const object = parse_json_object(R"({"s":"x","i":3,"l":["a","b"],"m":["a",1]})").value();
    EXPECT_EQ(string_member(object, "s").value(), "x");
    EXPECT_EQ(integer_member(object, "i").value(), 3);
    EXPECT_TRUE(string_member(object, "i").is_error());
    EXPECT_TRUE(string_member(object, "absent").is_error());
    EXPECT_EQ(strings_member(object, "l").value().size(), 2U);
    EXPECT_TRUE(strings_member(object, "m").is_error());
}

TEST(Json, a_document_reads_as_its_value_does_and_copies_outlive_it)
{
    std::string const long_text(100'000, 'x');
    auto const text = R"({"a":[1,-2,{"b":null,"long":")" + long_text + R"(\n\u00e9"}],"e":{}})";
    JsonObject copy, part;
    {
        auto document = JsonDocument::parse_object(text);
        ASSERT_TRUE(document.is_ok()) << document.error().message;
        auto const moved = std::move(document).value();
        EXPECT_EQ(moved.object(), parse_json_object(text).value());
        copy = moved.object();
        part = moved.object().at("a").as_array().at(2).as_object();
    }
    EXPECT_EQ(copy, parse_json_object(text).value());
    EXPECT_EQ(string_member(part, "long").value(), long_text + "\n\xC3\xA9");
    for (auto const* wrong : { "", "[]", "{\"a\":1,\"a\":2}", "{}{}", "{\"a\":[1,2" })
        EXPECT_EQ(JsonDocument::parse_object(wrong).error().message, parse_json_object(wrong).error().message) << wrong;
    EXPECT_EQ(JsonDocument::parse_object("{\"a\":1}", { .size_max = 4 }).error().code, ErrorCode::resource_exhausted);
}

TEST(Json, refuses_numbers_that_have_no_text)
{
    for (auto const* text : { "1e999", "-1e999", "0E373", "[1e400]" })
        EXPECT_TRUE(parse_json(text).is_error()) << text;
    EXPECT_TRUE(parse_json("1e300").is_ok());
}

TEST(Json, a_string_alone_is_written_as_in_a_value)
{
    for (int byte = 0; byte < 256; ++byte) {
        auto const text = "a" + std::string(1, static_cast<char>(byte)) + "z\xC3\xA9";
        std::string written = "before ";
        append_json_string(written, text);
        auto const read = parse_json(std::string_view(written).substr(7)).value();
        EXPECT_EQ(to_text(read), written.substr(7)) << byte;
        EXPECT_EQ(std::string_view(read.as_string()), byte < 0x80 ? text : "a\xEF\xBF\xBDz\xC3\xA9") << byte;
    }
}

} // namespace
} // namespace writ
