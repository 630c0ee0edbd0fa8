// SPDX-License-Identifier: Apache-2.0
#include "agent/delivery.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::agent;

TEST(Delivery, is_files_and_variables)
{
    auto const delivery
        = parse_delivery(SecretText(R"({"environment":{"A":"1"},"files":[{"name":"a.token","variable":"A_FILE","content":"x.y.z"}]})")).value();
    EXPECT_EQ(delivery.environment, (std::map<std::string, std::string> { { "A", "1" } }));
    ASSERT_EQ(delivery.files.size(), 1U);
    EXPECT_EQ(delivery.files[0].name, "a.token");
    EXPECT_EQ(delivery.files[0].variable, "A_FILE");
    EXPECT_EQ(delivery.files[0].content.reveal(), "x.y.z");
    for (auto const* bad : { "", "[]", "{}", R"({"environment":{}})", R"({"environment":{"A":1},"files":[]})", R"({"environment":{},"files":[1]})",
             R"({"environment":{},"files":[{"name":"a","variable":"b"}]})" })
        EXPECT_TRUE(parse_delivery(SecretText(bad)).is_error()) << bad;
}

TEST(Delivery, has_places_at_which_clients_ask_for_it)
{
    constexpr char const* text = R"({"environment":{},"files":[],"places":[{"client":"git","url":"https://a/b","username":"c","secret":"d"}]})";
    auto const delivery = parse_delivery(SecretText(text)).value();
    ASSERT_EQ(delivery.places.size(), 1U);
    EXPECT_EQ(delivery.places[0].secret.reveal(), "d");
    EXPECT_EQ(places_of("forge", delivery), (std::vector<RunPlace> { { "forge", "git", "https://a/b", "c" } }));
    EXPECT_TRUE(parse_delivery(SecretText(R"({"environment":{},"files":[],"places":[{"client":"git","url":"https://a/b"}]})")).is_error());
}

TEST(Delivery, may_name_the_runs_folder_in_a_variable)
{
    std::map<std::string, std::string> environment { { "CACHE", "{folder}/cache.json" }, { "OTHER", "{else}" } };
    name_in(environment, "{folder}", "/run/writ/runs/run-a");
    EXPECT_EQ(environment.at("CACHE"), "/run/writ/runs/run-a/cache.json");
    EXPECT_EQ(environment.at("OTHER"), "{else}");
}

TEST(Delivery, of_one_provider_is_for_all_that_the_run_uses_it_for)
{
    std::vector<SessionUse> const uses { { "a", "call", "Api", "one" }, { "b", "call", "Api", "two" }, { "a", "infer", "Endpoint", "three" } };
    auto const sorted = by_provider(uses);
    ASSERT_EQ(sorted.size(), 2U);
    EXPECT_EQ(sorted.at("a").size(), 2U);
    EXPECT_EQ(sorted.at("a")[1].resource_id, "three");
}
