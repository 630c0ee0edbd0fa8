// SPDX-License-Identifier: Apache-2.0
//
// A run's tokens for clients that ask by the place they go to (git, registries, clusters): that of the longest place that covers it.
#pragma once

#include "agent/session_cache.h"

namespace writ::agent {

struct PlacedToken {
    std::string username;
    SecretText secret;
    Timestamp expires;
};

// Null: no place of the run covers it.
RunPlace const* place_for(std::vector<RunPlace> const& places, std::string_view client, std::string_view url);

// Decided anew by policy, as any session is. not_found: the run has nothing for that place.
net::Task<Result<PlacedToken>> token_for_place(SessionCache& sessions, WatchedRun run, std::string client, std::string url);

} // namespace writ::agent
