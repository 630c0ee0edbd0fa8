// SPDX-License-Identifier: Apache-2.0
//
// A run's private folder: mode 0700, its job's user's, with the files of its credentials, mode 0600.
#pragma once

#include "base/durable_file.h"
#include "base/secret.h"

#include <string>
#include <sys/types.h>
#include <vector>

namespace writ::agent {

struct RunFile {
    std::string name;     // one path segment
    std::string variable; // set to the file's path; empty: none
    SecretText content;
};

// Makes `parent`/`run` with the files in it. permission_denied: the agent is not root and the user is another.
Result<Path> create_run_folder(Path const& parent, std::string const& run, uid_t, gid_t, std::vector<RunFile> const&);
// Puts one file more into the folder, whole or not at all; it replaces one of that name. not_found: the folder is gone.
Result<> add_run_file(Path const& parent, std::string const& run, uid_t, gid_t, RunFile const&);
// Takes one file away, if it is there.
Result<> remove_run_file(Path const& parent, std::string const& run, std::string const& name);
// Removes the folder and what is in it, if it is there.
void remove_run_folder(Path const& parent, std::string const& run);
// Removes all folders of runs but these.
void remove_other_run_folders(Path const& parent, std::vector<std::string> const& runs);

} // namespace writ::agent
