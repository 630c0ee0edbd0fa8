// SPDX-License-Identifier: Apache-2.0
#include "cli/kubectl_credential.h"

#include <gtest/gtest.h>

namespace writ::cli {
namespace {

TEST(KubectlCredential, is_asked_for_a_cluster_or_for_the_only_one)
{
    auto const asked = parse_kubectl_question(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{"server":"https://k8s.example:6443","config":null},"interactive":false}})");
    EXPECT_EQ(asked.value().server, "https://k8s.example:6443");
    EXPECT_EQ(parse_kubectl_question(R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","spec":{}})").value().server, "");
    EXPECT_EQ(parse_kubectl_question("").value().version, "client.authentication.k8s.io/v1");
    for (auto const* bad : { "{}", "[]", R"({"apiVersion":"client.authentication.k8s.io/v2","spec":{}})", R"({"apiVersion":"client.authentication.k8s.io/v1"})",
             R"({"apiVersion":"client.authentication.k8s.io/v1","spec":{"cluster":{}}})" })
        EXPECT_TRUE(parse_kubectl_question(bad).is_error()) << bad;
}

TEST(KubectlCredential, is_answered_in_the_version_that_was_asked)
{
    PlacedToken const token { "", SecretText("t"), from_unix_seconds(1'800'000'000) };
    EXPECT_EQ(kubectl_answer({ "client.authentication.k8s.io/v1beta1", "" }, token).reveal(),
        R"({"apiVersion":"client.authentication.k8s.io/v1beta1","kind":"ExecCredential","status":{"token":"t","expirationTimestamp":"2027-01-15T08:00:00Z"}})");
}

} // namespace
} // namespace writ::cli
