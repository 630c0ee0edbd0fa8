// SPDX-License-Identifier: Apache-2.0
//
// Tokens and keys that come to a job as files and variables: fetched before it starts, the files replaced before their content ends, and taken away when policy
// says no.
#pragma once

#include "agent/run_folder.h"
#include "agent/session_cache.h"

namespace writ::agent {

struct Delivery {
    std::map<std::string, std::string> environment;
    std::vector<RunFile> files;
};

// As the authority's issuers write it.
Result<Delivery> parse_delivery(SecretText const& document);

// `{folder}` in a value is the run's folder.
void name_folder(std::map<std::string, std::string>& environment, std::string const& folder);

// A run's uses of each provider.
std::map<std::string, std::vector<SessionUse>> by_provider(std::vector<SessionUse> const& uses);

} // namespace writ::agent
