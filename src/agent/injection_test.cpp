// SPDX-License-Identifier: Apache-2.0
#include "agent/injection.h"

#include "agent/delivery.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::agent;

namespace {

std::vector<RunPlace> const places {
    { "openai", "inject", "https://api.openai.com/v1", "authorization: Bearer {token}" },
    { "files", "inject", "https://api.openai.com/v1/files", "x-key: {token}" },
    { "local", "inject", "http://127.0.0.1:8080", "x-key: {token}" },
    { "code", "git", "https://git.example", "oauth2" },
};

std::string provider_of(InjectionTarget const& target) { return target.place == nullptr ? "" : target.place->provider; }

} // namespace

TEST(Injection, finds_the_place_that_a_path_is_for)
{
    auto const chat = injection_target(places, "/inject/api.openai.com/v1/chat/completions");
    EXPECT_EQ(provider_of(chat), "openai");
    EXPECT_EQ(chat.path, "/v1/chat/completions");
    EXPECT_EQ(provider_of(injection_target(places, "/inject/api.openai.com/v1")), "openai");
    EXPECT_EQ(provider_of(injection_target(places, "/inject/api.openai.com/v1/files/a")), "files");
    auto const root = injection_target(places, "/inject/127.0.0.1:8080");
    EXPECT_EQ(provider_of(root), "local");
    EXPECT_EQ(root.path, "/");
    EXPECT_EQ(injection_target(places, "/inject/127.0.0.1:8080/").path, "/");
    for (auto const* other : { "/inject/", "/inject/api.openai.com", "/inject/api.openai.com/v2", "/inject/api.openai.com/v1x", "/inject/api.openai.com.evil/v1", "/inject/git.example",
             "/inject/127.0.0.1:80801/", "/inject//v1", "/latest/api.openai.com/v1" })
        EXPECT_EQ(provider_of(injection_target(places, other)), "") << other;
}

TEST(Injection, reads_the_handle_where_the_token_is_to_stand)
{
    EXPECT_EQ(shown_handle({ { "Authorization", "Bearer abc" } }, "authorization: Bearer {token}"), "abc");
    EXPECT_EQ(shown_handle({ { "x-key", "abc" } }, "X-Key: {token}"), "abc");
    EXPECT_EQ(shown_handle({ { "x-key", "a" } }, "x-key: <{token}>"), std::nullopt);
    for (auto const& headers : { net::Headers {}, net::Headers { { "authorization", "Basic abc" } }, net::Headers { { "authorization", "Bear" } },
             net::Headers { { "authorization", "Bearer abc" }, { "Authorization", "Bearer def" } } })
        EXPECT_EQ(shown_handle(headers, "authorization: Bearer {token}"), std::nullopt);
}

TEST(Injection, tells_the_job_an_address_of_the_agents_and_the_handle)
{
    std::vector<PlacedSecret> given;
    std::map<std::string, std::string> environment { { "A", "{inject}" }, { "B", "{handle}" }, { "C", "c" } };
    name_injection(environment, given, 8471, SecretText("h"));
    EXPECT_EQ(environment.at("A"), "{inject}");
    given.push_back({ "git", "https://git.example", "a", SecretText("x") });
    given.push_back({ "inject", "https://api.openai.com/v1", "authorization: Bearer {token}", SecretText("x") });
    name_injection(environment, given, 8471, SecretText("h"));
    EXPECT_EQ(environment.at("A"), "http://127.0.0.1:8471/inject/api.openai.com/v1");
    EXPECT_EQ(environment.at("B"), "h");
    EXPECT_EQ(environment.at("C"), "c");
}
