// SPDX-License-Identifier: Apache-2.0
//
// Which clients of clouds, databases and hubs a job would find: packages of its Python, by the names of folders (nothing is executed), and programs on PATH.
#pragma once

#include "cli/static_credentials.h"

#include <optional>

namespace writ::cli {

// LIMIT: entries of one folder of packages that are looked at.
inline constexpr std::size_t package_entries_max = 20'000;

struct FoundClient {
    std::string name; // `boto3`, as its registry has it
    std::string version; // of a package; programs are not asked for theirs
    std::string family; // `AWS`, as static_credentials.h has it
    Path where;
};

// What the first line of a script names to run it (`#!/usr/bin/env python3`): program and arguments. Nothing: it names none.
std::vector<std::string> interpreter_words(std::string_view script);
// The Python that a command is run by: named, in its first line (`#!`), or the one on PATH. Absent: none.
std::optional<Path> python_of(std::vector<std::string> const& command, Variables const&);
// Where it looks for packages: a virtual environment's own, or the system's and the user's.
std::vector<Path> package_folders(Path const& python, Variables const&);

// In the order of the table; a package that is for two families is found twice.
std::vector<FoundClient> find_packages(std::vector<Path> const& folders);
std::vector<FoundClient> find_programs(Variables const&);

} // namespace writ::cli
