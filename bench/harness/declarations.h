// SPDX-License-Identifier: Apache-2.0
//
// What the benchmarks declare: one workload, one team, a hundred data sets and ten policies, of which two speak of the workload; and what they ask of it.
#pragma once

#include "base/json.h"

#include <string>
#include <utility>
#include <vector>

namespace writ::bench {

inline constexpr int datasets = 100;

// `path`: the executable whose processes are the workload.
inline std::vector<std::pair<std::string, std::string>> declarations(std::string const& path)
{
    std::string sets = "kind: Database\nname: lake\ntype: postgres\nhost: 127.0.0.1\nport: 5432\ndatabase: lake\n";
    for (int i = 0; i < datasets; ++i) {
        auto const number = std::to_string(i);
        sets += "---\nkind: Dataset\nname: lake/" + number + "\ndatabase: lake\nschema: public\ntable: t" + number + "\nclassification: [pseudonymised]\npurpose: [train]\n";
    }
    std::string policies = "@id(\"trains\") permit (principal in Pipeline::\"classifier\", action == Action::\"read\", resource is Dataset)\n"
                           "when { principal in Team::\"research\" && resource.purpose.contains(context.purpose) };\n"
                           "@id(\"no-pii\") forbid (principal, action, resource is Dataset) when { resource.classification.contains(\"pii\") };\n";
    for (int i = 0; i < 8; ++i) {
        auto const number = std::to_string(i);
        policies += "@id(\"other-" + number + "\") permit (principal in Pipeline::\"other-" + number
            + "\", action == Action::\"read\", resource is Dataset) when { resource.purpose.contains(\"evaluate\") };\n";
    }
    return { { "trust-provider.yaml", "kind: TrustProvider\nname: unix\ntype: unix\n" },
        { "workload.yaml",
            "kind: Workload\nname: trainer\nid: spiffe://bench.example/research/{unix.user}/train\nmatch: { unix.path: \"" + path
                + "\" }\npipeline: classifier\nteam: research\n" },
        { "datasets.yaml", sets }, { "policies.cedar", policies } };
}

// AuthZEN: who asks, for what; all but the resource.
inline JsonObject asking()
{
    return { { "subject", JsonObject { { "type", "Workload" }, { "id", "spiffe://bench.example/research/root/train" } } },
        { "action", JsonObject { { "name", "read" } } }, { "context", JsonObject { { "purpose", "train" } } } };
}
inline JsonObject dataset(std::size_t number) { return { { "type", "Dataset" }, { "id", "lake/" + std::to_string(number % datasets) } }; }
// The body of an evaluation; it is allowed.
inline JsonObject evaluation(std::size_t number)
{
    auto body = asking();
    body.emplace("resource", dataset(number));
    return body;
}

} // namespace writ::bench
