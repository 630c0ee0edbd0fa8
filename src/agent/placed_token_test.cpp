// SPDX-License-Identifier: Apache-2.0
#include "agent/placed_token.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace writ;
using namespace writ::agent;

namespace {

std::vector<RunPlace> const places { { "forge", "git", "https://git.example", "a" }, { "team", "git", "https://git.example/team", "b" },
    { "images", "docker", "https://git.example", "c" } };

std::string provider_for(std::string_view client, std::string_view url)
{
    auto const* place = place_for(places, client, url);
    return place == nullptr ? "" : place->provider;
}

} // namespace

TEST(PlacedToken, is_that_of_the_longest_place_that_covers_the_url)
{
    EXPECT_EQ(provider_for("git", "https://git.example/team/model.git"), "team");
    EXPECT_EQ(provider_for("git", "https://git.example/teams/model.git"), "forge");
    EXPECT_EQ(provider_for("git", "https://git.example"), "forge");
    EXPECT_EQ(provider_for("docker", "https://git.example"), "images");
}

TEST(PlacedToken, is_nothing_for_another_host_another_client_and_what_is_no_plain_url)
{
    for (auto const* url : { "https://git.example.evil/team", "https://git.example:8443/team", "http://git.example/team", "https://git.example/team/../other", "https://a@git.example/", "" })
        EXPECT_EQ(provider_for("git", url), "") << url;
    EXPECT_EQ(provider_for("kubernetes", "https://git.example"), "");
}

TEST(PlacedToken, has_places_that_outlive_the_agent)
{
    std::string name = (std::filesystem::temp_directory_path() / "writ-agent-XXXXXX").string();
    Path const folder = ::mkdtemp(name.data());
    WatchedRun run;
    run.id = "run-aaaaaaaaaaaaaaaaaaaa";
    run.places = places;
    ASSERT_TRUE(save_runs(folder, { run }).is_ok());
    EXPECT_EQ(load_runs(folder).value().front().places, places);
    std::filesystem::remove_all(folder);
}
