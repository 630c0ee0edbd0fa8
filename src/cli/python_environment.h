// SPDX-License-Identifier: Apache-2.0
//
// The Python that a command would be run by, and where that looks for packages. Files are read for it, and nothing is executed: what a shim would start is in its own
// text and its version files.
#pragma once

#include "cli/static_credentials.h"

#include <optional>

namespace writ::cli {

// LIMIT: how often one thing names another before the last counts: a shim a script, that an interpreter, `env` a program.
inline constexpr int interpreters_max = 8;

struct FoundPython {
    Path path;
    std::string note; // what a person has to know of it: that it is a script whose interpreter is not seen from here
};

// The first of this name that can be executed; what has a slash in it is a path.
std::optional<Path> on_path(std::string_view name, Variables const&);

// What the first line of a script names to run it (`#!/usr/bin/env -S python3 -u`): program and arguments. Nothing: it names none.
std::vector<std::string> interpreter_words(std::string_view script);
// The Python that a shell script hands its arguments to: `exec "/opt/venv/bin/python" "$@"`, also where `#!` could not hold it; `script` is where it lies. Empty: none.
Path wrapped_python(std::string_view text, Path const& script);

// Named (`python3`, `uv run`, `env`, `timeout 60`), in a script's first line, or the one on PATH; shims of pyenv's, and wrappers, are those they start. `folder` is
// where the command would be started. Absent: none.
std::optional<FoundPython> python_of(std::vector<std::string> const& command, Variables const&, Path const& folder);
// Where it looks for packages: PYTHONPATH, a virtual environment's own, the system's and the user's.
std::vector<Path> package_folders(Path const& python, Variables const&);

} // namespace writ::cli
