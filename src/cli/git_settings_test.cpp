// SPDX-License-Identifier: Apache-2.0
#include "cli/git_settings.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace writ::cli {
namespace {

std::string shown(std::vector<GitSetting> const& settings)
{
    std::string text;
    for (auto const& one : settings)
        text += one.section + "|" + one.subsection + "|" + one.name + "|" + one.value + "\n";
    return text;
}

std::string parsed(std::string_view text) { return shown(parse_git_config(text, "x")); }

std::vector<std::string> keys_of(std::vector<StaticCredential> const& found)
{
    std::vector<std::string> keys;
    for (auto const& one : found)
        keys.push_back(one.key + (one.host.empty() ? "" : " @" + one.host) + (one.always_wins ? " wins" : ""));
    return keys;
}

} // namespace

TEST(GitSettings, are_read_as_git_reads_them)
{
    EXPECT_EQ(parsed("[User]\n\tName = A \"B # \" ; c\n bare\n[http \"https://A.example\"] extraHeader=x y  # z\r\n"), "user||name|A B # \nuser||bare|\nhttp|https://A.example|extraheader|x y\n");
    EXPECT_EQ(parsed("[a.B]\nx = 1\\\n2\\t\\\"\n[c \"d\\\"e\\\\\"]\ny="), "a|b|x|12\t\"\nc|d\"e\\|y|\n");
    EXPECT_EQ(parsed("\xEF\xBB\xBF[a]\nx=1"), "a||x|1\n");
    // What stands before a fault counts.
    for (auto const* fault : { "[", "[b", "[b \"c", "[b \"c\n\"]", "=1", "y z", "y = \"1", "y = \\q", "[]" })
        EXPECT_EQ(parsed("[a]\nx=1\n" + std::string(fault)), "a||x|1\n") << fault;
    EXPECT_EQ(parsed("x=1"), "");
}

TEST(GitSettings, are_those_of_all_files_and_variables_that_git_reads)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-git-XXXXXX").string();
    Path const home = ::mkdtemp(name.data());
    auto const write = [&home](char const* file, std::string const& text) {
        std::filesystem::create_directories((home / file).parent_path());
        ASSERT_TRUE(create_file(home / file, as_bytes(text)).is_ok());
    };
    write(".gitconfig", "[include]\npath = ~/more\n[includeIf \"gitdir:~/x\"]\npath = beside\n[a]\nx = home\n");
    write("more", "[include]\npath = more\n[a]\nx = more\n"); // includes itself
    write("beside", "[a]\nx = beside\n");
    write(".config/git/config", "[a]\nx = xdg\n");
    write("repo/.git/config", "[a]\nx = repo\n");
    write("repo/.git/worktrees/w/commondir", "../..\n");
    write("tree/.git", "gitdir: " + (home / "repo/.git/worktrees/w").string() + "\n");
    std::filesystem::create_directories(home / "repo/deep/down");
    Variables const variables { { "GIT_CONFIG_NOSYSTEM", "1" }, { "GIT_CONFIG_KEY_0", "a.b.c.X" }, { "GIT_CONFIG_VALUE_0", "env" } };
    auto const values = [&](Path const& folder) {
        std::string text;
        for (auto const& one : read_git_settings(variables, home, folder))
            text += one.name == "x" ? one.value + " " : "";
        return text;
    };
    auto const outside = values("/");
    EXPECT_EQ(outside.substr(0, 9), "xdg more ");
    EXPECT_EQ(outside.substr(outside.size() - 16), "beside home env ");
    EXPECT_EQ(values(home / "repo/deep/down").substr(outside.size() - 4), "repo env ");
    EXPECT_EQ(values(home / "tree").substr(outside.size() - 4), "repo env ");
    EXPECT_EQ(read_git_settings({ { "GIT_CONFIG_NOSYSTEM", "true" }, { "GIT_CONFIG_GLOBAL", (home / "beside").string() } }, home, "/").size(), 1U);
    std::filesystem::remove_all(home);
}

TEST(GitSettings, that_are_secrets_are_named_without_them)
{
    auto const found = git_static_credentials(parse_git_config("[http]\nextraHeader = X-Team: a\nextraHeader = authorization: Basic a\n"
                                                               "[http \"https://git.example/\"]\nextraheader = PRIVATE-TOKEN: b\n"
                                                               "[url \"https://a:hunter2@git.example:1/\"]\ninsteadOf = https://git.example:1/\npushInsteadOf = x:\n"
                                                               "[url \"https://a@git.example/\"]\ninsteadOf = y:\n"
                                                               "[remote \"origin\"]\nurl = https://x-oauth:hunter2@git.example/team\npushurl = ssh://git@git.example/team\n",
        "/home/a/.gitconfig"));
    EXPECT_EQ(keys_of(found),
        (std::vector<std::string> { "http.extraHeader", "http.https://git.example/.extraHeader @git.example", "url.https://…@git.example:1/.insteadOf @git.example:1 wins",
            "url.https://…@git.example:1/.pushInsteadOf @git.example:1 wins", "remote.origin.url @git.example wins" }));
    for (auto const& one : found)
        EXPECT_EQ(describe(one).find("hunter2"), std::string::npos);
    // Found by the fuzzer: a URL without a host.
    EXPECT_EQ(keys_of(git_static_credentials(parse_git_config("[http \"https://a:hunter2@\"]\nextraHeader = Authorization: b\n", "x"))), std::vector<std::string> { "http.…@.extraHeader" });
}

TEST(GitSettings, that_hold_logins_are_files_of_store_and_sockets_of_cache)
{
    auto const settings = parse_git_config("[credential]\nhelper = store --file=~/a\nhelper = cache\n[credential \"https://x\"]\nhelper = /usr/lib/git-core/git-credential-store --file /b c\n", "x");
    EXPECT_EQ(git_stored_credentials(settings, {}, "/home/u"), (std::vector<Path> { "/home/u/.git-credentials", "/home/u/.config/git/credentials", "/home/u/a", "/b" }));
    EXPECT_TRUE(git_stored_credentials({}, {}, "").empty());
    EXPECT_EQ(git_cache_sockets({ { "XDG_CACHE_HOME", "/c" } }, "/home/u").back(), Path("/c/git/credential/socket"));
}

TEST(GitSettings, of_the_user_lose_at_a_runs_places_and_stay_elsewhere)
{
    std::vector<Place> const places { { "git", "https://git.example/team", "oauth2" } };
    auto const none = [](std::string_view) { return false; };
    auto const of = [&](std::string_view text) { return git_precedence_text(parse_git_config(text, "x"), places, none); };
    EXPECT_EQ(of("[http]\nextraHeader = X-Team: a\n"), ""); // no secret
    EXPECT_EQ(of("[http]\nextraHeader = X-Team: a\nextraHeader = Authorization: b\n"), "[http \"https://git.example/team\"]\n\textraHeader =\n\textraHeader = \"X-Team: a\"\n");
    EXPECT_EQ(of("[http \"https://bob:hunter2@git.example/team/model.git\"]\nextraHeader = Authorization: b\nextraHeader = X-One: c\n"),
        "[http \"https://git.example/team\"]\n\textraHeader =\n[http \"https://bob@git.example/team/model.git\"]\n\textraHeader =\n\textraHeader = \"X-One: c\"\n");
    EXPECT_EQ(of("[http \"https://git.example/teams\"]\nextraHeader = Authorization: b\n"), "[http \"https://git.example/team\"]\n\textraHeader =\n");
    EXPECT_EQ(git_precedence_text({}, places, [](std::string_view host) { return host == "git.example"; }), "[http \"https://git.example/team\"]\n\temptyAuth = true\n");
}

} // namespace writ::cli
