// SPDX-License-Identifier: Apache-2.0
//
// What the agent gives to the run's clients by the place they go to: git, registries, clusters.
#pragma once

#include "base/clock.h"
#include "base/secret.h"
#include "cli/session.h"

namespace writ::cli {

struct Place {
    std::string client, url, username;
};
// Of an answer that has `places`; none: empty.
Result<std::vector<Place>> parse_places(JsonObject const& answer);
std::vector<Place> places_for(std::vector<Place> const&, std::string_view client);

// Of the run that this process is of. permission_denied: it is of none.
Result<std::vector<Place>> list_places(Session const&);

struct PlacedToken {
    std::string username;
    SecretText secret;
    Timestamp expires;
};
// not_found: the run has none for that place. permission_denied: policy says no (any more).
Result<PlacedToken> ask_for_token(Session const&, std::string_view client, std::string_view url);

} // namespace writ::cli
