// SPDX-License-Identifier: Apache-2.0
#include "cli/static_logins.h"

#include <gtest/gtest.h>

namespace writ::cli {
namespace {

using Names = std::vector<std::string>;

TEST(StaticLogins, of_netrc_are_machines_with_a_password)
{
    EXPECT_EQ(netrc_machines("machine git.example login a password b\nmachine other.example login a\n# machine c password d\ndefault login e password f\n"),
        (Names { "git.example", "default" }));
    EXPECT_EQ(netrc_machines("machine\n a.example\n\tpassword\n b machine c.example account x login machine password \"y z\""), (Names { "a.example", "c.example" }));
    EXPECT_EQ(netrc_machines("macdef init\nmachine a password b\n\nmachine d password e"), (Names { "d" }));
    EXPECT_EQ(netrc_machines("password b"), Names());
    EXPECT_EQ(netrc_machines("machine a password"), Names());
    EXPECT_EQ(netrc_machines(""), Names());
}

TEST(StaticLogins, of_gits_store_are_hosts_with_a_password)
{
    EXPECT_EQ(stored_git_hosts("https://a:b@git.example:8443/team\nhttps://a@other.example\nnonsense\nhttps://c:d@git.example:8443\nhttp://:e@third.example"),
        (Names { "git.example:8443", "third.example" }));
}

TEST(StaticLogins, of_docker_are_those_that_stand_in_the_file_itself)
{
    EXPECT_EQ(inline_registries(R"({"auths":{"a.example":{"auth":"eDp5"},"b.example":{},"c.example/team":{"identitytoken":"t"},"d.example":{"auth":""}},"credsStore":"x"})"),
        (Names { "a.example", "c.example/team" }));
    for (auto const* text : { "", "[]", "{", R"({"auths":[]})", R"({"auths":{"a":1,"b":{"auth":2}}})" })
        EXPECT_TRUE(inline_registries(text).empty()) << text;
}

TEST(StaticLogins, of_clusters_are_keys_that_say_something)
{
    EXPECT_EQ(kubeconfig_secrets("users:\n- name: token\n  user:\n    client-key-data: LS0t\n    token: eyJ\n"), (Names { "token", "client-key-data" }));
    EXPECT_EQ(kubeconfig_secrets(R"({"users":[{"name":"a","user":{"password":"b","client-key":"/k"}}]})"), (Names { "password", "client-key" }));
    EXPECT_EQ(kubeconfig_secrets("token:\npassword: \"\"\ntokenFile: # none\nnot-token: x\ntokens: y\nuser: {token: null}\n"), Names());
}

TEST(LoginUrl, is_taken_apart_by_the_last_at_sign_of_its_authority)
{
    auto const url = parse_login_url("https://a:b@c@git.example:1/x@y");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->user + "|" + url->password + "|" + url->host + "|" + url->rest, "a|b@c|git.example:1|git.example:1/x@y");
    EXPECT_EQ(parse_login_url("ssh://git@git.example/x")->user, "git");
    for (auto const* text : { "", "git@git.example:team/a", "://a", "https://", "https://a:b@/x" })
        EXPECT_FALSE(parse_login_url(text)) << text;
}

} // namespace
} // namespace writ::cli
