// SPDX-License-Identifier: Apache-2.0
//
// What `writ run` tells the clients of clouds besides what the agent does: where their settings are, which the run's credentials must not lose against.
#pragma once

#include "cli/static_credentials.h"

namespace writ::cli {

// For the families that the run has credentials for; `own` is the user's environment, `folder` the run's. Pure.
Variables client_settings(std::set<std::string> const& families, Variables const& own, Path const& folder);

// The folders that these settings name, empty: a user's own login is not in them.
Result<> create_client_folders(Variables const& settings);

} // namespace writ::cli
