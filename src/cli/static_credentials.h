// SPDX-License-Identifier: Apache-2.0
//
// Long-lived secrets in a job's environment and home: they would win over the run's own credentials, or stay good for whoever copies them.
#pragma once

#include "base/durable_file.h"

#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace writ::cli {

using Variables = std::map<std::string, std::string>;

struct StaticCredential {
    std::string name; // variable, or path of a file
    std::string family; // `AWS`, `PostgreSQL`, `Hugging Face`
    bool is_file = false;
    bool always_wins = false; // nothing that a run sets puts it out of force
};

// What is there, values never looked at but for being empty; `home` is the user's folder.
std::vector<StaticCredential> find_static_credentials(Variables const&, Path const& home);

// The way by which a family's clients get a run's credentials.
struct Channel {
    std::string_view family;
    std::string_view text; // `metadata server of the run`
    std::string_view variable; // that `writ run` sets, by which one knows it
    std::string_view provider; // type of CredentialProvider that it takes
};
// In the order in which a family's clients look.
std::span<Channel const> channels();

// The families that these variables of a run have credentials for.
std::set<std::string> served_families(Variables const& of_run);

// All variables of these families that would win over the run's own: secrets, and what points to others.
std::vector<std::string> shadowing_variables(std::set<std::string> const& families);

Variables own_environment();

} // namespace writ::cli
