// SPDX-License-Identifier: Apache-2.0
//
// A declared workload: which claims make a process one, and which SPIFFE ID it then has. Ids may be templates, so that nothing has to be
// registered before a job starts.
#pragma once

#include "base/clock.h"
#include "identity/claim.h"
#include "identity/spiffe_id.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace writ::identity {

// What a run of the workload asks for when it starts.
struct Use {
    std::string action;        // `read`
    std::string resource_type; // `Dataset`
    std::string resource_id;
    bool operator==(Use const&) const = default;
};

struct Workload {
    std::string name;
    std::string id_template; // `spiffe://acme.ai/ml/{unix.user}/train`
    std::string pipeline;
    std::string team;
    Duration svid_lifetime = std::chrono::hours(1);
    // Claim → values; `*` stands for any characters. One of the values has to fit one of the claim's, for each claim named.
    std::map<std::string, std::vector<std::string>> match;
    std::vector<Use> uses;
};

// LIMIT: an X.509-SVID lives between these.
inline constexpr Duration svid_lifetime_min = std::chrono::minutes(1);
inline constexpr Duration svid_lifetime_max = std::chrono::hours(24);

// That the template yields SPIFFE IDs, the lifetime is within limits, and match is not empty.
Result<> check_workload(Workload const&);

// The id of a process with these claims: absent if it is not this workload. A claim that the template names must be there and be one path
// segment, otherwise the process is not this workload either: an id is never guessed.
std::optional<SpiffeId> match_workload(Workload const&, Claims const&);

// `*` stands for any run of characters, also none; all else for itself.
bool fits_pattern(std::string_view pattern, std::string_view text);

} // namespace writ::identity
