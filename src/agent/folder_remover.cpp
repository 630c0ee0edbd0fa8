// SPDX-License-Identifier: Apache-2.0
#include "agent/folder_remover.h"

#include "base/background.h"
#include "base/logger.h"
#include "base/unique_fd.h"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <memory>

namespace writ::agent {

namespace {

// LIMIT: entries of one folder, all below it counted; what fills it faster than it is emptied ends here.
constexpr std::size_t entries_max = 10'000'000;

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};
using OpenFolder = std::unique_ptr<DIR, CloseFolder>;

OpenFolder open_folder(int parent, char const* name)
{
    auto const fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    auto* const folder = fd < 0 ? nullptr : ::fdopendir(fd);
    if (folder == nullptr && fd >= 0)
        ::close(fd);
    return OpenFolder(folder);
}

// One level at a time: folders below a folder are moved up beside it, so that neither depth nor length of a path has to be held.
class Emptying {
public:
    Emptying(int top, std::stop_token stop)
        : top_(top)
        , stop_(std::move(stop))
    {
    }

    // All that is in it, once. True: something went, or came up.
    bool read_once(DIR* folder)
    {
        bool has_changed = false;
        while (auto const* const entry = ::readdir(folder)) {
            if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0)
                continue;
            if (stop_.stop_requested() || ++entries_ > entries_max)
                return false;
            has_changed = take_away(::dirfd(folder), entry->d_name) || has_changed;
        }
        return has_changed;
    }

private:
    bool take_away(int folder, char const* name)
    {
        if (::unlinkat(folder, name, 0) == 0 || errno == ENOENT)
            return true;
        if (::unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return true;
        return folder == top_ ? empty_below(name) : move_up(folder, name);
    }

    // SECURITY: O_NOFOLLOW: a link in the place of a folder is unlinked, and not gone through.
    bool empty_below(char const* name)
    {
        auto const below = open_folder(top_, name);
        auto const has_changed = below != nullptr && read_once(below.get());
        return ::unlinkat(top_, name, AT_REMOVEDIR) == 0 || has_changed;
    }

    bool move_up(int folder, char const* name)
    {
        auto const free = "." + std::to_string(moved_++) + ".removed";
        return ::renameat(folder, name, top_, free.c_str()) == 0 || errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR; // that name is taken: the next one
    }

    int top_;
    std::stop_token stop_;
    std::size_t entries_ = 0, moved_ = 0;
};

} // namespace

bool remove_folder(Path const& folder, std::stop_token stop)
{
    if (::rmdir(folder.c_str()) == 0 || errno == ENOENT)
        return true;
    auto const top = open_folder(AT_FDCWD, folder.c_str());
    if (!top)
        return false;
    Emptying emptying(::dirfd(top.get()), stop);
    // INVARIANT: it ends: a round that changes something takes from entries_max.
    while (emptying.read_once(top.get()))
        ::rewinddir(top.get());
    return ::rmdir(folder.c_str()) == 0;
}

FolderRemover::FolderRemover()
    : thread_([this](std::stop_token const& stop) { run(stop); })
{
}

FolderRemover::~FolderRemover() = default;

void FolderRemover::remove(Path folder)
{
    {
        std::scoped_lock const lock(mutex_);
        folders_.push_back(std::move(folder));
    }
    asked_.notify_one();
}

void FolderRemover::run(std::stop_token stop)
{
    run_in_background();
    for (;;) {
        std::unique_lock lock(mutex_);
        if (!asked_.wait(lock, stop, [this] { return !folders_.empty(); }))
            return;
        auto const folder = std::move(folders_.front());
        folders_.pop_front();
        lock.unlock();
        if (!remove_folder(folder, stop) && !stop.stop_requested())
            log_warning("a run's folder is still there", { { "folder", folder.string() } });
        if (stop.stop_requested())
            return;
    }
}

} // namespace writ::agent
