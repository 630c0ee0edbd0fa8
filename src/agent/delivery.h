// SPDX-License-Identifier: Apache-2.0
//
// Tokens and keys that come to a job as files and variables: fetched before it starts, the files replaced before their content ends, and taken away when policy
// says no.
#pragma once

#include "agent/run_folder.h"
#include "agent/session_cache.h"

namespace writ::agent {

// What clients that ask for a place are given.
struct PlacedSecret {
    std::string client, url, username;
    SecretText secret;
};

struct Delivery {
    std::map<std::string, std::string> environment;
    std::vector<RunFile> files;
    std::vector<PlacedSecret> places;
};

// As the authority's issuers write it.
Result<Delivery> parse_delivery(SecretText const& document);

// In all values, what stands for something is replaced by it: `{folder}` by the run's folder.
void name_in(std::map<std::string, std::string>& environment, std::string_view mark, std::string const& text);

// Of one provider, without what is secret in it.
std::vector<RunPlace> places_of(std::string const& provider, Delivery const&);

// A run's uses of each provider.
std::map<std::string, std::vector<SessionUse>> by_provider(std::vector<SessionUse> const& uses);

} // namespace writ::agent
