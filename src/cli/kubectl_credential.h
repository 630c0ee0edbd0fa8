// SPDX-License-Identifier: Apache-2.0
//
// SPEC: Kubernetes, client authentication (v1): what an exec plug-in is told in KUBERNETES_EXEC_INFO, and the ExecCredential that it prints.
#pragma once

#include "cli/placed_token.h"

namespace writ::cli {

struct KubectlQuestion {
    std::string version = "client.authentication.k8s.io/v1"; // the answer is of the same
    std::string server; // empty: the configuration has no `provideClusterInfo: true`
};
// Empty text: nobody said anything.
Result<KubectlQuestion> parse_kubectl_question(std::string_view text);

SecretText kubectl_answer(KubectlQuestion const&, PlacedToken const&);

} // namespace writ::cli
