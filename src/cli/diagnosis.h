// SPDX-License-Identifier: Apache-2.0
//
// What `writ doctor` says of each client: the channel that its credentials come by, what would win over it, and how to mend that. Pure.
#pragma once

#include "base/json.h"
#include "cli/client_libraries.h"

#include <optional>

namespace writ::cli {

// What was found out by asking.
struct Reachable {
    bool agent = false;
    std::string agent_error;
    std::optional<std::set<std::string>> declared; // what of providers, variables and places is declared at all; absent: nobody says
    std::map<std::string, std::string> endpoints; // of the run that this process is in: family, and why it does not answer (empty: it does)
};

struct Diagnosed {
    FoundClient client;
    std::string channel; // in words
    std::string state; // `in use`, `by writ run`, `shadowed`, `unreachable`, `none`
    std::vector<std::string> shadowed_by;
    std::string mend; // empty: nothing to do
};

// `variables` are those that the job would see.
std::vector<Diagnosed> diagnose(std::vector<FoundClient> const& clients, std::vector<StaticCredential> const& secrets, Variables const& variables, Reachable const&);

JsonObject to_json(Diagnosed const&);

} // namespace writ::cli
