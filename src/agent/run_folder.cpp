// SPDX-License-Identifier: Apache-2.0
#include "agent/run_folder.h"

#include "base/logger.h"
#include "base/unique_fd.h"
#include "identity/run.h"
#include "identity/spiffe_id.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::agent {

namespace {

// Of a folder that is set aside: no run has such a name.
constexpr std::string_view removed_prefix = "removed-";

Result<> write_file(int folder, RunFile const& file, uid_t uid, gid_t gid)
{
    if (!identity::is_path_segment(file.name))
        return invalid_argument("`" + file.name + "` is no file name");
    UniqueFd const fd(::openat(folder, file.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.is_open())
        return errno_error("create `" + file.name + "`", errno);
    std::string_view rest = file.content.reveal();
    while (!rest.empty()) {
        auto const written = ::write(fd.get(), rest.data(), rest.size());
        if (written < 0)
            return errno_error("write `" + file.name + "`", errno);
        rest.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::geteuid() == 0 && ::fchown(fd.get(), uid, gid) != 0)
        return errno_error("chown `" + file.name + "`", errno);
    return {};
}

// SECURITY: what one credential has written is not another's to replace.
Result<> check_distinct(std::vector<RunFile> const& files)
{
    std::set<std::string_view> names;
    for (auto const& file : files) {
        if (!names.insert(file.name).second)
            return conflict("two credentials of the run come as file `" + file.name + "`; their CredentialProviders need a `file` each");
    }
    return {};
}

} // namespace

Result<Path> create_run_folder(Path const& parent, std::string const& run, uid_t uid, gid_t gid, std::vector<RunFile> const& files)
{
    ASSERT(identity::is_run_id(run));
    if (::geteuid() != 0 && ::geteuid() != uid)
        return permission_denied("an agent that is not root serves its own user only");
    TRY(check_distinct(files));
    auto const path = parent / run;
    if (::mkdir(path.c_str(), 0700) != 0)
        return errno_error("create `" + path.string() + "`", errno);
    // The files are written while the folder is still the agent's; the user gets it when they are all there.
    UniqueFd const folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.is_open())
        return errno_error("open `" + path.string() + "`", errno);
    for (auto const& file : files)
        TRY(write_file(folder.get(), file, uid, gid));
    if (::geteuid() == 0 && ::fchown(folder.get(), uid, gid) != 0)
        return errno_error("chown `" + path.string() + "`", errno);
    return path;
}

// SECURITY: the folder is the user's by now. Nothing in it is followed or opened: a new file is made, and renamed over whatever has its name.
Result<> add_run_file(Path const& parent, std::string const& run, uid_t uid, gid_t gid, RunFile const& file)
{
    ASSERT(identity::is_run_id(run));
    auto const path = parent / run;
    UniqueFd const folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.is_open())
        return errno_error("open `" + path.string() + "`", errno);
    RunFile const temporary { "." + file.name + ".new", "", file.content.duplicate() };
    if (::unlinkat(folder.get(), temporary.name.c_str(), 0) != 0 && errno != ENOENT)
        return errno_error("remove `" + temporary.name + "`", errno);
    TRY(write_file(folder.get(), temporary, uid, gid));
    if (::renameat(folder.get(), temporary.name.c_str(), folder.get(), file.name.c_str()) != 0)
        return errno_error("rename to `" + file.name + "`", errno);
    return {};
}

Result<> remove_run_file(Path const& parent, std::string const& run, std::string const& name)
{
    ASSERT(identity::is_run_id(run));
    if (!identity::is_path_segment(name))
        return invalid_argument("`" + name + "` is no file name");
    UniqueFd const folder(::open((parent / run).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder.is_open())
        return errno == ENOENT ? Result<>() : errno_error("open the folder of `" + run + "`", errno);
    if (::unlinkat(folder.get(), name.c_str(), 0) != 0 && errno != ENOENT)
        return errno_error("remove `" + name + "`", errno);
    return {};
}

void remove_run_folder(Path const& parent, std::string const& run, FolderRemover& remover)
{
    ASSERT(identity::is_run_id(run));
    auto const aside = parent / (std::string(removed_prefix) + run);
    if (::rename((parent / run).c_str(), aside.c_str()) == 0)
        remover.remove(aside);
    else if (errno != ENOENT)
        log_warning("a run's folder is still there", { { "run", run }, { "error", errno_error("set it aside", errno).message } });
}

void remove_other_run_folders(Path const& parent, std::vector<std::string> const& runs, FolderRemover& remover)
{
    std::vector<std::string> ended;
    std::error_code error;
    for (auto const& entry : std::filesystem::directory_iterator(parent, error)) {
        auto const name = entry.path().filename().string();
        if (name.starts_with(removed_prefix))
            remover.remove(entry.path());
        else if (identity::is_run_id(name) && std::find(runs.begin(), runs.end(), name) == runs.end())
            ended.push_back(name);
    }
    for (auto const& run : ended)
        remove_run_folder(parent, run, remover);
}

} // namespace writ::agent
