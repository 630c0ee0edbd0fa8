// SPDX-License-Identifier: Apache-2.0
#include "cli/git_credential.h"

#include <gtest/gtest.h>

namespace writ::cli {
namespace {

TEST(GitCredential, is_asked_for_where_git_goes)
{
    EXPECT_EQ(parse_git_question("protocol=https\nhost=git.example:8443\npath=team/model.git\nusername=bob\nwwwauth[]=Basic realm=\"a=b\"\n\nignored").value(),
        "https://git.example:8443/team/model.git");
    EXPECT_EQ(parse_git_question("protocol=https\nhost=git.example").value(), "https://git.example");
    for (auto const* bad : { "", "\n", "protocol=https\n", "host=a\n", "protocol\nhost=a\n", "protocol=\nhost=a\n" })
        EXPECT_TRUE(parse_git_question(bad).is_error()) << bad;
    for (auto const* host : { "git.example/team", "git.example/team@evil.example", "bob@git.example", "git.example?a", "git.example#a", "git.example\\\\a" })
        EXPECT_TRUE(parse_git_question("protocol=https\nhost=" + std::string(host)).is_error()) << host;
    EXPECT_TRUE(parse_git_question(std::string_view("protocol=https\nhost=a\0b\n", 24)).is_error());
}

TEST(GitCredential, is_answered_in_lines_that_a_token_cannot_add_to)
{
    PlacedToken token { "oauth2", SecretText("t"), from_unix_seconds(1'800'000'000) };
    EXPECT_EQ(git_answer(token).value().reveal(), "username=oauth2\npassword=t\npassword_expiry_utc=1800000000\n");
    token.secret = SecretText("t\nquit=true");
    EXPECT_TRUE(git_answer(token).is_error());
    token.secret = SecretText(std::string("t\0u", 3));
    EXPECT_TRUE(git_answer(token).is_error());
}

TEST(GitCredential, is_configured_beside_what_the_user_has)
{
    EXPECT_EQ(git_config_text({ { "git", "https://git.example/a\"b", "oauth2" } }, "'/usr/bin/writ' git-credential"),
        "[credential \"https://git.example/a\\\"b\"]\n\thelper =\n\thelper = \"!'/usr/bin/writ' git-credential\"\n\tuseHttpPath = true\n");
    EXPECT_EQ(git_variables({}, "/run/c"), (Variables { { "GIT_CONFIG_COUNT", "1" }, { "GIT_CONFIG_KEY_0", "include.path" }, { "GIT_CONFIG_VALUE_0", "/run/c" } }));
    EXPECT_EQ(git_variables({ { "GIT_CONFIG_COUNT", "2" } }, "/run/c").at("GIT_CONFIG_KEY_2"), "include.path");
    for (auto const* count : { "x", "-1", "99999999999", "1 " })
        EXPECT_EQ(git_variables({ { "GIT_CONFIG_COUNT", count } }, "/run/c").at("GIT_CONFIG_COUNT"), "1") << count;
}

} // namespace
} // namespace writ::cli
