// SPDX-License-Identifier: Apache-2.0
//
// Which clients of clouds, databases and hubs a job would find: packages of its Python, by the names of folders (nothing is executed), and programs on PATH.
#pragma once

#include "cli/static_credentials.h"

namespace writ::cli {

// LIMIT: entries of one folder of packages that are looked at.
inline constexpr std::size_t package_entries_max = 20'000;

struct FoundClient {
    std::string name; // `boto3`, as its registry has it
    std::string version; // of a package; programs are not asked for theirs
    std::string family; // `AWS`, as static_credentials.h has it
    Path where;
};

// In the order of the table; a package that is for two families is found twice.
std::vector<FoundClient> find_packages(std::vector<Path> const& folders);
std::vector<FoundClient> find_programs(Variables const&);

} // namespace writ::cli
