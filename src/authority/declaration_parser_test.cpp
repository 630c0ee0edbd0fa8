// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/claim_names.h"
#include "attest/unix/process.h"
#include "authority/snapshot.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace writ::authority {
namespace {

std::vector<std::string> problems_of(std::string const& text)
{
    std::vector<Problem> problems;
    compile_snapshot(1, split_documents({ { "a.yaml", text } }, problems), "acme.ai", problems);
    std::vector<std::string> messages;
    for (auto const& problem : problems)
        messages.push_back(std::to_string(problem.position.line) + ": " + problem.message);
    return messages;
}

std::vector<std::string> problems_of_match(std::string const& match)
{
    return problems_of("kind: TrustProvider\nname: nodes\ntype: unix\n---\nkind: Workload\nname: job\nid: spiffe://acme.ai/job\nmatch: " + match + "\n");
}

TEST(Match, names_claims_that_there_are_with_values)
{
    using Messages = std::vector<std::string>;
    EXPECT_EQ(problems_of_match("{ unix.user: ml, unix.path: [/usr/bin/python3.11, /opt/*], unix.image: \"sha256:aa\" }"), Messages());
    EXPECT_EQ(problems_of_match("{ unix.usr: ml }"), Messages { "8: `match` has no claim `unix.usr`; did you mean `unix.user`?" });
    auto const unknown = problems_of_match("{ k8s.namespace.of.the.pod: ml }");
    ASSERT_EQ(unknown.size(), 1U);
    EXPECT_NE(unknown[0].find("known: `unix.cgroup`, `unix.container`"), std::string::npos) << unknown[0];
    EXPECT_EQ(problems_of_match("{ unix.user: [] }"), Messages { "8: claim `unix.user` of `match` has no values: no process is that" });
    EXPECT_EQ(problems_of_match("{ unix.user: [ml, \"\"] }"), Messages { "8: claim `unix.user` of `match` has an empty value: no process is that" });
    EXPECT_FALSE(problems_of_match("{}").empty());
}

TEST(Service, has_a_url_that_is_one)
{
    auto const problems_of_url = [](std::string const& url) { return problems_of("kind: Api\nname: models\nurl: \"" + url + "\"\n"); };
    for (auto const* url : { "https://api.example", "https://api.example:8443/v1?x=%20", "ssh://127.0.0.1:22", "http://[::1]:80/", "grpc+tls://a" })
        EXPECT_TRUE(problems_of_url(url).empty()) << url;
    for (auto const* url : { "api.example", "https:/api.example", "https://", "https:///v1", "://a", "https://ml:secret@api.example", "https://api.example/a b", "HTTPS://api.example",
             "javascript:alert(1)", "https://api.example\\\\x", "https://:443" }) {
        auto const problems = problems_of_url(url);
        ASSERT_EQ(problems.size(), 1U) << url;
        EXPECT_EQ(problems[0].substr(0, 14), "3: field `url`") << problems[0];
        EXPECT_EQ(problems[0].find("secret"), std::string::npos);
    }
}

TEST(Match, knows_what_the_attestor_tells)
{
    SystemClock const clock;
    attest::ProcessAttestor attestor(clock, "");
    auto const attested = attestor.attest(::getpid(), attest::open_process(::getpid()).value().get());
    ASSERT_TRUE(attested.is_ok()) << attested.error().message;
    auto const& names = attest::unix_claim_names;
    for (auto const& [name, values] : attested->claims.values)
        EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

} // namespace
} // namespace writ::authority
