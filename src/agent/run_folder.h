// SPDX-License-Identifier: Apache-2.0
//
// A run's private folder: mode 0700, its job's user's, with the files of its credentials, mode 0600.
#pragma once

#include "agent/folder_remover.h"
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
// The folder is gone from its place at once, if it was there; what is in it goes when the remover comes to it.
void remove_run_folder(Path const& parent, std::string const& run, FolderRemover&);
// The same with all folders of runs but these, and with what an agent before this one had not removed yet.
void remove_other_run_folders(Path const& parent, std::vector<std::string> const& runs, FolderRemover&);

} // namespace writ::agent
