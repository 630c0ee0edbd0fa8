// SPDX-License-Identifier: Apache-2.0
//
// api/openapi.yaml and the router's table say the same.
#include "authority/endpoints.h"
#include "authority/yaml.h"

#include "base/durable_file.h"

#include <gtest/gtest.h>
#include <set>

using namespace writ;
using namespace writ::authority;

namespace {

std::string without_dots(std::string pattern)
{
    auto const dots = pattern.find("...}");
    return dots == std::string::npos ? pattern : pattern.erase(dots, 3);
}

std::set<std::string> documented_routes()
{
    auto const text = to_text(read_file(Path(WRIT_SOURCE_FOLDER) / "api/openapi.yaml").value());
    auto const documents = std::get<0>(parse_yaml({ "api/openapi.yaml", text }));
    std::set<std::string> routes;
    for (auto const& path : documents.front().find("paths")->members) {
        for (auto const& method : path.node.members) {
            std::string name = method.name;
            for (auto& c : name)
                c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
            routes.insert(name + " " + path.name + " " + method.node.find("x-access")->scalar);
        }
    }
    return routes;
}

std::set<std::string> served_routes()
{
    SystemClock clock;
    SystemRandom random;
    AuthorityState state { clock, random, "acme.ai", "https://localhost", {}, nullptr, {}, {}, {}, nullptr, {}, {} };
    LeaseKeeper leases(state);
    RunRegistry runs(state, leases);
    RunSessions sessions(state, leases);
    Router router;
    add_all_routes(router, { state, leases, runs, sessions });
    std::set<std::string> routes;
    for (auto const& route : router.routes())
        routes.insert(route.method + " " + without_dots(route.pattern) + " " + std::string(to_string(route.access)));
    return routes;
}

} // namespace

TEST(OpenApi, documents_exactly_what_is_served)
{
    auto const documented = documented_routes();
    auto const served = served_routes();
    for (auto const& route : served)
        EXPECT_TRUE(documented.contains(route)) << route << " is served and not documented";
    for (auto const& route : documented)
        EXPECT_TRUE(served.contains(route)) << route << " is documented and not served";
    EXPECT_GT(served.size(), 25U);
}

TEST(Router, patterns_capture_segments_and_nothing_else)
{
    auto const captured = match_pattern("/v1/agent/runs/{run}/end", "/v1/agent/runs/run-x/end");
    ASSERT_TRUE(captured);
    EXPECT_EQ(captured->at("run"), "run-x");
    EXPECT_FALSE(match_pattern("/v1/agent/runs/{run}/end", "/v1/agent/runs//end"));
    EXPECT_FALSE(match_pattern("/v1/agent/runs/{run}/end", "/v1/agent/runs/a/b/end"));
    EXPECT_FALSE(match_pattern("/v1/status", "/v1/status/"));
    EXPECT_EQ(match_pattern("/log/{path...}", "/log/tile/0/000")->at("path"), "tile/0/000");
    EXPECT_FALSE(match_pattern("/log/{path...}", "/log"));
}

TEST(Caller, may_call_what_its_kind_may)
{
    Caller const anonymous;
    Caller const workload { Caller::Kind::workload, "spiffe://acme.ai/x" };
    Caller const agent { Caller::Kind::agent, "spiffe://acme.ai/writ/agent/a" };
    Caller const administrator { Caller::Kind::administrator, "uid:0" };
    EXPECT_TRUE(anonymous.may_call(Access::anyone));
    EXPECT_FALSE(anonymous.may_call(Access::workload));
    EXPECT_FALSE(workload.may_call(Access::agent));
    EXPECT_FALSE(workload.may_call(Access::administrator));
    EXPECT_FALSE(agent.may_call(Access::administrator));
    EXPECT_FALSE(administrator.may_call(Access::agent)); // an administrator attests nobody
    EXPECT_TRUE(administrator.may_call(Access::workload));
}
