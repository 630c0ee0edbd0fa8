// SPDX-License-Identifier: Apache-2.0
#include "net/url_place.h"

#include <gtest/gtest.h>

namespace writ::net {
namespace {

bool covers(std::string_view place, std::string_view url) { return net::covers(parse_url_place(place).value(), parse_url_place(url).value()); }

TEST(UrlPlace, is_an_origin_and_a_path)
{
    EXPECT_EQ(parse_url_place("https://Git.Example/Team/").value(), (UrlPlace { { { "git.example", 443 }, true }, "/Team" }));
    EXPECT_EQ(parse_url_place("http://127.0.0.1:8080").value(), (UrlPlace { { { "127.0.0.1", 8080 }, false }, "" }));
    EXPECT_EQ(to_string(parse_url_place("https://[::1]/a b").value()), "https://[::1]/a b");
    EXPECT_EQ(to_string(parse_url_place("https://a:8443/").value()), "https://a:8443");
    for (auto const* bad : { "", "git.example", "http://git.example", "http://10.0.0.1:80/a", "https://u@git.example/a", "https://a/b?c", "https://a/b#c", "https://a/%2e%2e/b",
             "https://a/../b", "https://a/.", "https://a//b", "https://a/b\n", "https://a/b\\c", "ssh://a/b", "https:///a" })
        EXPECT_TRUE(parse_url_place(bad).is_error()) << bad;
    EXPECT_TRUE(parse_url_place("https://a/" + std::string(3000, 'a')).is_error());
}

TEST(UrlPlace, covers_itself_and_what_is_below_it)
{
    EXPECT_TRUE(covers("https://a", "https://a:443/b/c"));
    EXPECT_TRUE(covers("https://a/b", "https://A/b"));
    EXPECT_TRUE(covers("https://a/b/", "https://a/b/c.git"));
    EXPECT_FALSE(covers("https://a/b", "https://a/bc"));
    EXPECT_FALSE(covers("https://a/b", "https://a"));
    EXPECT_FALSE(covers("https://a/b", "https://a/B"));
    EXPECT_FALSE(covers("https://a", "https://a.evil"));
    EXPECT_FALSE(covers("https://a:8443", "https://a"));
    EXPECT_FALSE(covers("https://127.0.0.1:80", "http://127.0.0.1:80"));
}

} // namespace
} // namespace writ::net
