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
    std::string key {}; // where in the file it stands: `http.extraHeader`, `machine git.example`; empty: anywhere
    std::string host {}; // that alone it is shown to; empty: wherever the family's clients go

    friend bool operator==(StaticCredential const&, StaticCredential const&) = default;
};

// What is there, values never kept nor told; `home` is the user's folder, `folder` the one that the job starts in. What a run has set itself is none.
std::vector<StaticCredential> find_static_credentials(Variables const&, Path const& home, Path const& folder);

// Hosts that the user's .netrc files have a password for; `default` is any other.
std::set<std::string> netrc_hosts(Variables const&, Path const& home);

// What becomes of it in a run that has these variables.
enum class Standing : std::uint8_t { stays, loses, wins };
Standing standing(StaticCredential const&, Variables const& of_run);

// `/home/a/.netrc: machine git.example (Git)`; names come from outside.
std::string describe(StaticCredential const&);

// By which a run tells those who look from inside which variables that look like secrets are its own.
inline constexpr std::string_view run_variables_name = "WRIT_RUN_VARIABLES";
// Its value for these variables of a run; empty: none is needed.
std::string run_variables(Variables const& of_run);

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
