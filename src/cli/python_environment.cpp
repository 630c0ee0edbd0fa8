// SPDX-License-Identifier: Apache-2.0
#include "cli/python_environment.h"

#include <algorithm>
#include <unistd.h>

namespace writ::cli {

namespace {

// LIMIT: a script, a version file, a pyvenv.cfg.
constexpr std::size_t script_bytes_max = 1U << 20U;
// LIMIT: how far above a folder its project is looked for.
constexpr int folders_above_max = 64;

std::string text_of(Variables const& variables, std::string const& name)
{
    auto const found = variables.find(name);
    return found == variables.end() ? "" : found->second;
}

bool is_executable(Path const& program)
{
    std::error_code error;
    return ::access(program.c_str(), X_OK) == 0 && !std::filesystem::is_directory(program, error);
}

bool is_python(Path const& program) { return program.filename().string().starts_with("python"); }

// Only what begins as a script does: an interpreter itself is megabytes.
std::string script_text(Path const& file)
{
    auto const bytes = read_regular_file(file, script_bytes_max);
    auto const text = bytes.is_ok() ? as_text(*bytes) : std::string_view();
    return std::string(text.starts_with("#!") ? text : std::string_view());
}

std::string trimmed(std::string_view text)
{
    constexpr std::string_view blanks = " \t\r\n\"'";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return std::string(text.substr(0, text.find_last_not_of(blanks) + 1));
}

// `home = /usr/bin` of a pyvenv.cfg.
std::string setting_of(std::string_view text, std::string_view name)
{
    while (!text.empty()) {
        auto const line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        auto const equals = line.find('=');
        if (equals != std::string_view::npos && trimmed(line.substr(0, equals)) == name)
            return trimmed(line.substr(equals + 1));
    }
    return "";
}

// The nearest folder, from this one upward, that has something of this name.
Path nearest(Path folder, std::string_view name)
{
    std::error_code error;
    for (int above = 0; !folder.empty() && above < folders_above_max; ++above) {
        if (std::filesystem::exists(folder / name, error))
            return folder;
        if (folder == folder.parent_path())
            break;
        folder = folder.parent_path();
    }
    return {};
}

// ---- pyenv

// SPEC: pyenv(1), "Version discovery": PYENV_VERSION, the nearest .python-version, then the one for all.
std::vector<std::string> pyenv_versions(Path const& root, Variables const& variables, Path const& folder)
{
    auto text = text_of(variables, "PYENV_VERSION");
    std::replace(text.begin(), text.end(), ':', '\n');
    if (text.empty()) {
        auto const local = nearest(folder, ".python-version");
        auto const bytes = read_regular_file(local.empty() ? root / "version" : local / ".python-version", script_bytes_max);
        text = bytes.is_ok() ? std::string(as_text(*bytes)) : "";
    }
    std::vector<std::string> names;
    for (std::string_view rest = text; !rest.empty();) {
        auto const line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (auto const name = trimmed(line); !name.empty() && name.front() != '#')
            names.push_back(name);
    }
    return names;
}

// As numbers where they are: 3.12 is newer than 3.9.
std::vector<int> numbers_of(std::string_view version)
{
    std::vector<int> numbers(1);
    for (char const c : version) {
        if (c >= '0' && c <= '9')
            numbers.back() = std::min(numbers.back(), 100'000) * 10 + (c - '0');
        else
            numbers.push_back(0);
    }
    return numbers;
}

// `3.12` is the newest 3.12.x that is installed, if there is none by that very name.
Path pyenv_folder(Path const& versions, std::string const& name)
{
    std::error_code error;
    if (std::filesystem::is_directory(versions / name, error))
        return versions / name;
    Path newest;
    for (auto const& entry : std::filesystem::directory_iterator(versions, error)) {
        auto const candidate = entry.path().filename().string();
        if (candidate.starts_with(name + ".") && (newest.empty() || numbers_of(newest.filename().string()) < numbers_of(candidate)))
            newest = entry.path();
    }
    return newest;
}

// What a shim in ROOT/shims starts; nothing: no version has it.
std::optional<Path> behind_pyenv(Path const& shim, Variables const& variables, Path const& folder)
{
    auto const root = shim.parent_path().parent_path();
    auto names = pyenv_versions(root, variables, folder);
    if (names.empty())
        names.emplace_back("system");
    for (auto const& name : names) {
        if (name == "system") {
            auto others = variables;
            others["PATH"].clear();
            auto const path = text_of(variables, "PATH");
            for (std::string_view rest = path; !rest.empty();) {
                auto const entry = rest.substr(0, rest.find(':'));
                rest.remove_prefix(std::min(rest.size(), entry.size() + 1));
                if (Path(entry) != shim.parent_path())
                    others["PATH"] += (others["PATH"].empty() ? "" : ":") + std::string(entry);
            }
            if (auto const found = on_path(shim.filename().string(), others))
                return found;
            continue;
        }
        auto const program = pyenv_folder(root / "versions", name) / "bin" / shim.filename();
        if (program.is_absolute() && is_executable(program))
            return program;
    }
    return std::nullopt;
}

bool is_pyenv_shim(Path const& program, std::string_view text)
{
    return program.parent_path().filename() == "shims" && text.find("pyenv") != std::string_view::npos && text.find(" exec \"$program\"") != std::string_view::npos;
}

// ---- projects

// uv, and in their default place poetry and pdm: the project's .venv; one that is active counts where there is none.
std::optional<Path> project_python(std::string const& runner, Variables const& variables, Path const& folder)
{
    auto const root = nearest(folder, "pyproject.toml");
    auto const named = runner == "uv" ? text_of(variables, "UV_PROJECT_ENVIRONMENT") : "";
    auto const with_own = nearest(folder, ".venv");
    for (auto const& place : { root.empty() || named.empty() ? Path() : root / named, root.empty() ? Path() : root / ".venv", with_own.empty() ? Path() : with_own / ".venv",
             Path(text_of(variables, "VIRTUAL_ENV")) }) {
        for (auto const* name : { "bin/python3", "bin/python" }) {
            if (!place.empty() && is_executable(place / name))
                return place / name;
        }
    }
    return std::nullopt;
}

bool runs_in_project(std::vector<std::string> const& words)
{
    static constexpr std::string_view runners[] = { "uv", "poetry", "pdm" };
    auto const name = Path(words.front()).filename().string();
    return words.size() > 1 && words[1] == "run" && std::find(std::begin(runners), std::end(runners), name) != std::end(runners);
}

// ---- words

bool starts_others(std::string const& word)
{
    static constexpr std::string_view names[] = { "env", "exec", "nice", "ionice", "nohup", "timeout", "time", "stdbuf", "setsid", "taskset", "numactl", "srun", "mpirun", "mpiexec" };
    auto const name = Path(word).filename().string();
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

// Behind what starts others: its options, numbers and assignments are no programs, and what is none is looked past.
std::vector<std::string> started_words(std::vector<std::string> const& words, Variables const& variables)
{
    for (auto word = words.begin() + 1; word != words.end(); ++word) {
        bool const is_name = !word->empty() && word->front() != '-' && word->find('=') == std::string::npos;
        if (is_name && on_path(*word, variables))
            return { word, words.end() };
    }
    return {};
}

class Resolver {
public:
    Resolver(Variables const& variables, Path const& folder)
        : variables_(variables)
        , folder_(folder)
    {
    }

    // Nothing: no Python is seen in it.
    std::optional<FoundPython> of_words(std::vector<std::string> const& words)
    {
        if (words.empty() || ++steps_ > interpreters_max)
            return std::nullopt;
        if (runs_in_project(words)) {
            auto const python = project_python(Path(words.front()).filename().string(), variables_, folder_);
            return python ? of_program(*python) : std::nullopt;
        }
        if (starts_others(words.front()))
            return of_words(started_words(words, variables_));
        auto const program = on_path(words.front(), variables_);
        return program ? of_program(std::filesystem::path(folder_) / *program) : std::nullopt;
    }

private:
    std::optional<FoundPython> of_program(Path const& program)
    {
        if (++steps_ > interpreters_max)
            return std::nullopt;
        auto const text = script_text(program);
        if (text.empty())
            return is_python(program) ? std::optional(FoundPython { program, note_of(program) }) : std::nullopt;
        if (is_pyenv_shim(program, text)) {
            auto const real = behind_pyenv(program, variables_, folder_);
            return real ? of_program(*real) : std::optional(FoundPython { program, "a shim of pyenv's for which no version is chosen that has it" });
        }
        // What a script of Python's own says of `exec` is nobody's command.
        bool const is_of_python = text.substr(0, text.find('\n')).find("python") != std::string::npos;
        if (auto const wrapped = is_of_python ? Path() : wrapped_python(text, program); !wrapped.empty() && is_executable(wrapped))
            return of_program(wrapped);
        if (!is_python(program))
            return of_words(interpreter_words(text));
        return FoundPython { program, "a script; which Python it starts is not seen from here" };
    }

    // mise's and others' shims are links to a program of another name.
    static std::string note_of(Path const& program)
    {
        std::error_code error;
        auto const real = std::filesystem::canonical(program, error);
        return error || is_python(real) || real.filename().string().starts_with("pypy") ? "" : "a link to " + real.string() + "; which Python that starts is not seen from here";
    }

    Variables const& variables_;
    Path const& folder_;
    int steps_ = 0;
};

// ---- packages

// `lib/python3*/NAME` of a prefix, of that version alone if it is known (`python3.11`).
void append_versions(std::vector<Path>& folders, Path const& lib, std::string const& version, std::string_view name)
{
    std::error_code error;
    std::vector<Path> found;
    for (auto const& entry : std::filesystem::directory_iterator(lib, error)) {
        auto const folder = entry.path().filename().string();
        if (folder.starts_with("python3.") && (version.empty() || folder == version) && std::filesystem::is_directory(entry.path() / name, error))
            found.push_back(entry.path() / name);
    }
    std::sort(found.begin(), found.end());
    folders.insert(folders.end(), found.begin(), found.end());
}

void append_named(std::vector<Path>& folders, std::string_view list)
{
    while (!list.empty()) {
        auto const entry = list.substr(0, list.find(':'));
        list.remove_prefix(std::min(list.size(), entry.size() + 1));
        if (!entry.empty())
            folders.emplace_back(entry);
    }
}

void append_system(std::vector<Path>& folders, Path const& prefix, std::string const& version, Variables const& variables)
{
    std::error_code error;
    auto const home = text_of(variables, "HOME"), base = text_of(variables, "PYTHONUSERBASE");
    if ((!home.empty() || !base.empty()) && text_of(variables, "PYTHONNOUSERSITE").empty())
        append_versions(folders, (base.empty() ? Path(home) / ".local" : Path(base)) / "lib", version, "site-packages");
    append_versions(folders, prefix / "local/lib", version, "dist-packages");
    append_versions(folders, prefix / "lib", version, "site-packages");
    if (std::filesystem::is_directory(prefix / "lib/python3/dist-packages", error))
        folders.push_back(prefix / "lib/python3/dist-packages");
}

std::string version_of(Path const& python)
{
    std::error_code error;
    auto const resolved = std::filesystem::canonical(python, error).filename().string();
    return resolved.starts_with("python3.") ? resolved : "";
}

} // namespace

std::optional<Path> on_path(std::string_view name, Variables const& variables)
{
    if (name.empty())
        return std::nullopt;
    if (name.find('/') != std::string_view::npos)
        return is_executable(name) ? std::optional<Path>(name) : std::nullopt;
    auto const path = text_of(variables, "PATH");
    std::string_view rest = path;
    while (!rest.empty()) {
        auto const folder = rest.substr(0, rest.find(':'));
        rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
        auto candidate = Path(folder) / name;
        if (!folder.empty() && is_executable(candidate))
            return candidate;
    }
    return std::nullopt;
}

std::vector<std::string> interpreter_words(std::string_view script)
{
    std::vector<std::string> words;
    if (!script.starts_with("#!"))
        return words;
    auto line = script.substr(2, std::min(script.find('\n'), script.size()) - 2);
    while (!line.empty()) {
        line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
        auto const word = line.substr(0, line.find_first_of(" \t\r"));
        line.remove_prefix(word.size());
        if (!word.empty())
            words.emplace_back(word);
    }
    return words;
}

Path wrapped_python(std::string_view text, Path const& script)
{
    // Of a relocatable environment: uv writes `'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python' "$0" "$@"`.
    constexpr std::string_view beside = "\"$(dirname -- \"$(realpath -- \"$0\")\")\"/";
    for (std::size_t at = text.find("exec"); at != std::string_view::npos; at = text.find("exec", at + 1)) {
        auto rest = text.substr(at + 4);
        rest = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(rest.starts_with('\'') ? 1 : 0);
        if (!rest.starts_with(' '))
            continue;
        rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
        bool const is_beside = rest.starts_with(beside);
        rest.remove_prefix(is_beside ? beside.size() : 0);
        bool const is_quoted = rest.starts_with('"') || rest.starts_with('\'');
        auto const word = is_quoted ? rest.substr(1, rest.find(rest.front(), 1) - 1) : rest.substr(0, rest.find(' '));
        std::error_code error;
        auto const python = is_beside ? std::filesystem::canonical(script, error).parent_path() / word : Path(word);
        if (is_python(python) && python.is_absolute())
            return python;
    }
    return {};
}

std::optional<FoundPython> python_of(std::vector<std::string> const& command, Variables const& variables, Path const& folder)
{
    if (auto found = Resolver(variables, folder).of_words(command))
        return found;
    return Resolver(variables, folder).of_words({ "python3" });
}

std::vector<Path> package_folders(Path const& python, Variables const& variables)
{
    std::error_code error;
    auto prefix = std::filesystem::absolute(python, error).parent_path().parent_path();
    std::vector<Path> folders;
    append_named(folders, text_of(variables, "PYTHONPATH"));
    if (auto const bytes = read_regular_file(prefix / "pyvenv.cfg", script_bytes_max); bytes.is_ok()) {
        append_versions(folders, prefix / "lib", "", "site-packages");
        if (setting_of(as_text(*bytes), "include-system-site-packages") == "true")
            append_system(folders, Path(setting_of(as_text(*bytes), "home")).parent_path(), version_of(python), variables);
        return folders;
    }
    // A link from elsewhere: its packages are where it leads.
    if (!std::filesystem::is_directory(prefix / "lib" / version_of(python), error))
        prefix = std::filesystem::canonical(python, error).parent_path().parent_path();
    append_system(folders, prefix, version_of(python), variables);
    return folders;
}

} // namespace writ::cli
