// SPDX-License-Identifier: Apache-2.0
//
// What git would find in the user's configuration, without asking it: the files that it reads, and its variables.
// SPEC: git-config(1), "Syntax", "Includes" and "Environment". Includes that depend on something count as if they were met.
#pragma once

#include "cli/placed_token.h"
#include "cli/static_credentials.h"

namespace writ::cli {

// LIMIT: of one file, of all of them, and how deep they include one another (git's own).
inline constexpr std::size_t git_config_bytes_max = 1U << 20U;
inline constexpr std::size_t git_settings_max = 20'000;
inline constexpr int git_includes_max = 10;

struct GitSetting {
    std::string section; // in lower case, as `name` is
    std::string subsection; // `https://git.example`, as it is written
    std::string name;
    std::string value;
    std::string from; // the file, or the variable
};

// What is wrong ends it, as it ends git; what stood before counts.
std::vector<GitSetting> parse_git_config(std::string_view text, std::string const& from);

// System's, user's, those of the repository that `folder` is in, and of the environment, in the order in which git reads them.
std::vector<GitSetting> read_git_settings(Variables const&, Path const& home, Path const& folder);

// Keys of the configuration that hold a secret: headers that authorize, and URLs with a password.
std::vector<StaticCredential> git_static_credentials(std::vector<GitSetting> const&);
// Files that `credential.helper = store` keeps, and the socket of `cache`, there or not.
std::vector<Path> git_stored_credentials(std::vector<GitSetting> const&, Variables const&, Path const& home);
std::vector<Path> git_cache_sockets(Variables const&, Path const& home);

// Configuration that takes the user's secrets out of force at these places, and nothing else there; `has_netrc`: curl would show what it finds in ~/.netrc
// before it asks a helper.
std::string git_precedence_text(std::vector<GitSetting> const&, std::vector<Place> const&, std::function<bool(std::string_view host)> const& has_netrc);

} // namespace writ::cli
