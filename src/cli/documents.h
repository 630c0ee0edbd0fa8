// SPDX-License-Identifier: Apache-2.0
//
// The files that `writ apply` sends: found in folders, with ${NAME} filled in.
#pragma once

#include "base/result.h"

#include <map>
#include <string>
#include <vector>

namespace writ::cli {

struct DeclaredFile {
    std::string path;
    std::string text;
};

using Settings = std::map<std::string, std::string, std::less<>>;

Result<Settings> parse_settings(std::vector<std::string> const& texts); // NAME=VALUE

// In order of their paths. not_found: a path that is not there, or a folder without declarations; invalid_argument: ${NAME} that nobody
// gave a value, with its place.
Result<std::vector<DeclaredFile>> collect_documents(std::vector<std::string> const& paths, Settings const&);

// `${NAME}` becomes the setting's or the environment's value; `$${` stands for `${`. Values are text: quotes around it in the file keep it
// so.
Result<std::string> expand_settings(std::string_view text, std::string const& path, Settings const&);

} // namespace writ::cli
