// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/cgroup.h"

#include "attest/unix/proc_files.h"
#include "base/durable_file.h"
#include "base/unique_fd.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::attest {

namespace {

// LIMIT: a machine with very many mounts, or groups.
constexpr std::size_t proc_file_bytes_max = 1U << 20U;
// LIMIT: files and folders of a hierarchy that are looked at for groups that were left; a group has some fifty files.
constexpr std::size_t looked_at_max = 200'000;
constexpr int depth_max = 32;

// Where version 2 is mounted; empty: nowhere.
Path const& mount_point()
{
    static Path const point = [] {
        auto const text = read_file("/proc/self/mountinfo", proc_file_bytes_max);
        return Path(text.is_ok() ? parse_cgroup2_mount(as_text(*text)) : std::string());
    }();
    return point;
}

Path folder_of(std::string const& path) { return mount_point() / path.substr(1); }

std::uint64_t inode_of(std::string const& path)
{
    struct stat status { };
    return ::stat(folder_of(path).c_str(), &status) == 0 && S_ISDIR(status.st_mode) ? static_cast<std::uint64_t>(status.st_ino) : 0;
}

Result<> move_into(Path const& folder, pid_t pid)
{
    UniqueFd const processes(::open((folder / "cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
    auto const text = std::to_string(pid);
    if (processes.get() < 0 || ::write(processes.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return errno_error("move process " + text + " into `" + folder.string() + "`", errno);
    return {};
}

} // namespace

std::string cgroup_path_of(pid_t pid)
{
    auto const text = mount_point().empty() ? Result<Bytes>(not_found("")) : read_file("/proc/" + std::to_string(pid) + "/cgroup", proc_file_bytes_max);
    return text.is_ok() ? parse_cgroup2_path(as_text(*text)).value_or("") : std::string();
}

Result<ProcessCgroup> enter_run_cgroup(pid_t pid, std::string_view run)
{
    auto const around = cgroup_path_of(pid);
    if (around.empty())
        return unavailable("process " + std::to_string(pid) + " is in no group of version 2 that can be seen");
    ProcessCgroup made { (around == "/" ? "" : around) + "/" + std::string("writ-").append(run), 0 };
    auto const folder = folder_of(made.path);
    if (::mkdir(folder.c_str(), 0755) != 0)
        return errno == EEXIST ? conflict("`" + folder.string() + "` is there already") : errno_error("make `" + folder.string() + "`", errno);
    ::chmod(folder.c_str(), 0755); // whatever the agent's umask: a job reads its own limits there
    made.inode = inode_of(made.path);
    auto const moved = move_into(folder, pid);
    if (moved.is_error()) {
        ::rmdir(folder.c_str());
        return moved.error();
    }
    return made;
}

bool is_within(std::string_view path, ProcessCgroup const& group)
{
    if (!group.exists() || !path.starts_with(group.path) || (path.size() > group.path.size() && path[group.path.size()] != '/'))
        return false;
    // SECURITY: whoever may write around it can take it away, once it is empty, and make another of its name.
    return inode_of(group.path) == group.inode;
}

bool is_made_by_system(std::string_view path)
{
    if (mount_point().empty() || !path.starts_with('/'))
        return false;
    for (std::string around(path);; around.resize(around.rfind('/'))) {
        struct stat status { };
        if (::stat((mount_point() / around.substr(around.empty() ? 0 : 1)).c_str(), &status) != 0 || (status.st_uid != 0 && status.st_uid != ::geteuid())
            || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
            return false;
        if (around.empty())
            return true;
    }
}

bool is_in_run_below(std::string_view path, ProcessCgroup const& group)
{
    if (!group.exists() || !path.starts_with(group.path))
        return false;
    return path.substr(group.path.size()).find("/" + std::string(run_cgroup_prefix)) != std::string_view::npos;
}

bool remove_cgroup(ProcessCgroup const& group)
{
    if (inode_of(group.path) != group.inode)
        return true;
    return ::rmdir(folder_of(group.path).c_str()) == 0 || errno != EBUSY;
}

std::size_t remove_empty_run_cgroups(std::set<std::string> const& known_paths)
{
    return mount_point().empty() ? 0 : remove_empty_run_cgroups(mount_point(), known_paths);
}

std::size_t remove_empty_run_cgroups(Path const& hierarchy, std::set<std::string> const& known_paths)
{
    std::vector<Path> found;
    std::error_code error;
    std::size_t looked_at = 0;
    auto const skips = std::filesystem::directory_options::skip_permission_denied;
    for (auto place = std::filesystem::recursive_directory_iterator(hierarchy, skips, error); !error && place != std::filesystem::recursive_directory_iterator(); place.increment(error)) {
        if (++looked_at > looked_at_max)
            break;
        if (place.depth() >= depth_max)
            place.disable_recursion_pending();
        if (place->is_directory(error) && place->path().filename().string().starts_with(run_cgroup_prefix))
            found.push_back(place->path());
    }
    // Those within others first. The kernel keeps a group that has a process in it.
    auto const remove = [&](Path const& group) { return !known_paths.contains("/" + group.lexically_relative(hierarchy).string()) && ::rmdir(group.c_str()) == 0; };
    return static_cast<std::size_t>(std::count_if(found.rbegin(), found.rend(), remove));
}

} // namespace writ::attest
