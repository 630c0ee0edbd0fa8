// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.h"

#include "net/fixed_stream.h"
#include "net/http_wire.h"
#include "net/utf8.h"

#include <array>
#include <gtest/gtest.h>
#include <memory>

namespace writ::net {
namespace {

TEST(Headers, ignore_the_case_of_names_and_keep_their_order)
{
    Headers headers { { "Accept", "a" }, { "X", "1" }, { "accept", "b" } };
    EXPECT_EQ(headers.get("ACCEPT"), "a");
    EXPECT_EQ(headers.count("accept"), 2U);
    EXPECT_FALSE(headers.get("y"));
    headers.set("aCCept", "c");
    EXPECT_EQ(headers.count("accept"), 1U);
    EXPECT_EQ(headers.get("accept"), "c");
    EXPECT_EQ(headers.begin()->first, "X");
}

TEST(Form, reads_back_what_it_writes)
{
    Parameters const parameters { { "scope", "a b+c" }, { "name", "Zoë & co=100%\n" }, { "empty", "" } };
    EXPECT_EQ(to_form(parameters), "scope=a+b%2Bc&name=Zo%C3%AB+%26+co%3D100%25%0A&empty=");
    auto const parsed = parse_form(to_form(parameters)).value();
    ASSERT_EQ(parsed.size(), 3U);
    EXPECT_EQ(parsed.get("scope"), "a b+c");
    EXPECT_EQ(parsed.get("name"), "Zoë & co=100%\n");
    EXPECT_EQ(parsed.get("empty"), "");
    EXPECT_FALSE(parsed.get("absent"));
}

TEST(Form, keeps_repeated_names_apart)
{
    auto const parsed = parse_form("audience=a&audience=b&x").value();
    EXPECT_TRUE(parsed.has_repeated_name());
    EXPECT_EQ(parsed.all("audience"), (std::vector<std::string_view> { "a", "b" }));
    EXPECT_FALSE(parse_form("a=1&b=1").value().has_repeated_name());
    EXPECT_TRUE(parse_form("").value().is_empty());
}

TEST(Form, refuses_what_is_not_encoded_as_it_must_be)
{
    for (auto const* const text : { "a=%", "a=%4", "a=%4g", "a=%zz", "=x", "&", "a=1&", "a=1&&b=2", "a=%00", "a%0A=1", "a=%1b", "a=%ff",
             "a=%c0%80", "a=%ed%a0%80", "a=\x01" })
        EXPECT_TRUE(parse_form(text).is_error()) << text;
    std::string many = "a";
    for (int i = 0; i < 256; ++i)
        many += "&a";
    EXPECT_TRUE(parse_form(many).is_error());
    EXPECT_TRUE(parse_form(many.substr(2)).is_ok());
}

TEST(Percent, decodes_what_it_encodes)
{
    std::string bytes;
    for (int c = 0; c < 256; ++c)
        bytes += static_cast<char>(c);
    EXPECT_EQ(percent_decode(percent_encode(bytes)).value(), bytes);
    EXPECT_EQ(percent_encode("a/b~c"), "a%2Fb~c");
    EXPECT_EQ(percent_decode("a+b%41").value(), "a+bA");
}

TEST(RequestTarget, decodes_path_and_query)
{
    auto const target = parse_request_target("/v1/work%20loads/Zo%C3%AB?after=a%2Fb&x=1").value();
    EXPECT_EQ(target.path, "/v1/work loads/Zoë");
    EXPECT_EQ(target.query.get("after"), "a/b");
    EXPECT_EQ(parse_request_target(to_request_target(target.path, target.query)).value().path, target.path);
    EXPECT_EQ(to_request_target("/a b/", { { "q", "1" } }), "/a%20b/?q=1");
    EXPECT_EQ(to_request_target("/v1/a@b:verb?", {}), "/v1/a@b:verb%3F");
    EXPECT_EQ(parse_request_target("/").value().path, "/");
    EXPECT_EQ(parse_request_target("/a...b/...").value().path, "/a...b/...");
}

TEST(RequestTarget, refuses_paths_that_mean_another_one)
{
    for (auto const* const text : { "", "a", "*", "http://a/b", "/a/../b", "/..", "/.", "/a/.", "/%2e%2e/b", "/.%2E", "/a%2fb", "/a%2Fb",
             "/%00", "/a%0ab", "/a%7f", "/%ff", "/a b", "/a\"b", "/a\\b", "/a#b", "/a%", "/?a=1&a=2", "/?a=%", "/?a=b#c" })
        EXPECT_TRUE(parse_request_target(text).is_error()) << text;
}

TEST(Head, ends_at_the_first_empty_line_and_has_no_other_line_ends)
{
    EXPECT_EQ(find_head("GET / HTTP/1.1\r\nA: b\r\n\r\nrest").value(), 24U);
    for (auto const* const text : { "", "GET /", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nA: b\r\n\r" })
        EXPECT_EQ(find_head(text).value(), std::nullopt) << text;
    for (auto const* const text : { "GET / HTTP/1.1\n", "GET / HTTP/1.1\nA: b\n\n", "GET / HTTP/1.1\r\nA: b\rc\r\n",
             "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "GET / HTTP/1.1\r\n\tA: b\r\n\r\n", "a\r\r\n" })
        EXPECT_TRUE(find_head(text).is_error()) << text;
}

TEST(Fields, cannot_carry_another_line)
{
    EXPECT_TRUE(check_fields({ { "location", "/a?b" }, { "x-1", "\t\xc3\xab" } }).is_ok());
    for (auto const& field : { Headers::Field("a", "b\r\nset-cookie: c"), Headers::Field("a\n", "b"), Headers::Field("", "b"),
             Headers::Field("a b", "c"), Headers::Field("a", std::string(1, '\0')) })
        EXPECT_TRUE(check_fields({ field }).is_error());
}

TEST(Utf8, has_one_form_of_each_character)
{
    for (auto const* const text : { "", "a", "\xc3\xab", "\xe2\x82\xac", "\xf0\x9f\x94\x91", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf" })
        EXPECT_TRUE(is_utf8(text));
    for (auto const* const text : { "\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
             "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "a\xe2\x82", "\xff" })
        EXPECT_FALSE(is_utf8(text));
}

// A body that is so short that it lies in the object itself: what that leaves behind can be looked at.
struct Place {
    alignas(RequestBody) std::array<std::uint8_t, sizeof(RequestBody)> bytes {};
    [[nodiscard]] bool holds(std::string_view text) const { return as_text(bytes).find(text) != std::string_view::npos; }
};

TEST(RequestBody, overwrites_itself_when_it_goes_and_where_it_went_from)
{
    Place first, second;
    auto* const body = std::construct_at(reinterpret_cast<RequestBody*>(first.bytes.data()), "top secret");
    EXPECT_TRUE(first.holds("top secret"));
    auto* const moved = std::construct_at(reinterpret_cast<RequestBody*>(second.bytes.data()), std::move(*body));
    EXPECT_FALSE(first.holds("secret"));
    EXPECT_EQ(*moved, "top secret");
    *body = std::move(*moved);
    EXPECT_FALSE(second.holds("secret"));
    EXPECT_EQ(*body, "top secret");
    *body = RequestBody("short");
    EXPECT_FALSE(first.holds("secret")) << "a shorter one leaves nothing of the one before";
    EXPECT_EQ(*body, "short");
    std::destroy_at(moved);
    std::destroy_at(body);
    EXPECT_FALSE(first.holds("short")); // fewer letters might be those of an address
}

TEST(ReadBuffer, overwrites_what_was_taken_from_it)
{
    std::string const text(5000, 's');
    FixedStream stream(as_bytes(text));
    EventLoop loop;
    ReadBuffer buffer;
    while (buffer.view().size() < text.size())
        ASSERT_TRUE(loop.run(buffer.fill(stream)).is_ok());
    auto const* const begin = buffer.view().data();
    auto const seen = [begin](std::size_t from, std::size_t count) { return std::string(begin + from, count).find('s') != std::string::npos; };
    buffer.consume(3000);
    EXPECT_FALSE(seen(0, 3000));
    EXPECT_TRUE(seen(3000, 2000));
    EXPECT_EQ(buffer.view(), text.substr(3000));
    // What is moved to the front is nowhere else.
    ASSERT_TRUE(loop.run(buffer.fill(stream)).is_ok());
    EXPECT_EQ(buffer.view(), text.substr(3000));
    if (buffer.view().data() == begin)
        EXPECT_FALSE(seen(2000, 3000));
    buffer.consume(2000);
    EXPECT_TRUE(buffer.is_empty());
    EXPECT_FALSE(std::string(buffer.view().data(), 2000).find('s') != std::string::npos);
}

} // namespace
} // namespace writ::net
