// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/proc_files.h"

#include <algorithm>
#include <charconv>

namespace writ::attest {

namespace {

std::string_view take_line(std::string_view& text)
{
    auto const end = text.find('\n');
    auto const line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

std::string_view take_word(std::string_view& text)
{
    auto const begin = text.find_first_not_of(" \t");
    text.remove_prefix(begin == std::string_view::npos ? text.size() : begin);
    auto const word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

template <typename T>
std::vector<T> parse_numbers(std::string_view text)
{
    std::vector<T> numbers;
    for (auto word = take_word(text); !word.empty(); word = take_word(text)) {
        T number {};
        auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (error != std::errc() || end != word.data() + word.size())
            return {};
        numbers.push_back(number);
    }
    return numbers;
}

// `/pods/a/writ-run-17` as `/pods/a`.
std::string_view without_run(std::string_view path)
{
    auto const slash = path.rfind('/');
    if (slash == std::string_view::npos || !path.substr(slash + 1).starts_with(run_cgroup_prefix))
        return path;
    return slash == 0 ? "/" : path.substr(0, slash);
}

} // namespace

Result<ProcStatus> parse_proc_status(std::string_view text)
{
    ProcStatus status;
    bool named = false;
    while (!text.empty()) {
        auto line = take_line(text);
        auto const key = line.substr(0, line.find(':'));
        line.remove_prefix(std::min(line.size(), key.size() + 1));
        // SECURITY: the kernel writes the name first and escapes its line ends, so no process can put a `Uid:` line before the true one.
        if (!named && key != "Name")
            break;
        named = true;
        if (key == "PPid") {
            auto const parents = parse_numbers<pid_t>(line);
            status.parent = parents.size() == 1 ? parents.front() : -1;
        } else if (key == "TracerPid") {
            auto const tracers = parse_numbers<pid_t>(line);
            status.tracer = tracers.size() == 1 ? tracers.front() : 0;
        } else if (key == "State") {
            auto const state = take_word(line);
            status.state = state.empty() ? '?' : state.front();
        } else if (key == "Uid") {
            status.uids = parse_numbers<uid_t>(line);
        } else if (key == "Gid") {
            status.gids = parse_numbers<gid_t>(line);
        } else if (key == "Groups") {
            status.groups = parse_numbers<gid_t>(line);
        }
    }
    if (status.uids.size() != 4 || status.gids.size() != 4 || status.parent < 0)
        return corruption("/proc/PID/status is not as proc(5) has it");
    return status;
}

Result<std::uint64_t> parse_start_ticks(std::string_view stat)
{
    auto const name_end = stat.rfind(')');
    if (name_end == std::string_view::npos)
        return corruption("/proc/PID/stat is not as proc(5) has it");
    stat.remove_prefix(name_end + 1);
    std::string_view word;
    for (int field = 3; field <= 22; ++field)
        word = take_word(stat);
    std::uint64_t ticks = 0;
    auto const [end, error] = std::from_chars(word.data(), word.data() + word.size(), ticks);
    if (word.empty() || error != std::errc() || end != word.data() + word.size())
        return corruption("/proc/PID/stat is not as proc(5) has it");
    return ticks;
}

std::vector<std::string> parse_cgroups(std::string_view text)
{
    std::vector<std::string> paths;
    while (!text.empty()) {
        auto const line = take_line(text);
        auto const second = line.find(':', line.find(':') + 1);
        if (second == std::string_view::npos)
            continue;
        std::string path(without_run(line.substr(second + 1)));
        if (std::find(paths.begin(), paths.end(), path) == paths.end())
            paths.push_back(std::move(path));
    }
    return paths;
}

std::optional<std::string> parse_cgroup2_path(std::string_view text)
{
    while (!text.empty()) {
        auto line = take_line(text);
        if (!line.starts_with("0::/"))
            continue;
        line.remove_prefix(3);
        // Outside of this namespace's root, or removed already.
        bool const is_seen = line.find("/..") == std::string_view::npos && !line.ends_with(" (deleted)");
        return is_seen ? std::optional<std::string>(line) : std::nullopt;
    }
    return std::nullopt;
}

std::string parse_cgroup2_mount(std::string_view text)
{
    while (!text.empty()) {
        auto line = take_line(text);
        auto kind = line.substr(std::min(line.size(), line.find(" - ")));
        take_word(kind);
        if (take_word(kind) != "cgroup2")
            continue;
        for (int field = 1; field <= 3; ++field)
            take_word(line);
        auto const root = take_word(line), point = take_word(line);
        if (root == "/" && point.find('\\') == std::string_view::npos)
            return std::string(point);
    }
    return "";
}

} // namespace writ::attest
