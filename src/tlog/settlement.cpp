// SPDX-License-Identifier: Apache-2.0
#include "tlog/settlement.h"

#include <cerrno>
#include <fcntl.h>

namespace writ::tlog {

namespace {

Result<UniqueFd> open_file(Path const& path)
{
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd.is_open())
        return errno_error("open `" + path.string() + "`", errno);
    return fd;
}

Result<> sync_file(Path const& path)
{
    auto const fd = TRY(open_file(path));
    if (::fsync(fd.get()) != 0)
        return errno_error("sync `" + path.string() + "`", errno);
    return {};
}

} // namespace

void Settlement::add(std::vector<TileName> const& files, std::uint64_t size)
{
    std::scoped_lock const lock(mutex_);
    added_.insert(added_.end(), files.begin(), files.end());
    size_ = size;
}

Result<std::uint64_t> Settlement::settle()
{
    if (!is_settling_)
        return unavailable("a file that failed to sync is kept by the journal alone");
    std::vector<TileName> files;
    std::uint64_t size = 0;
    {
        std::scoped_lock const lock(mutex_);
        files = std::exchange(added_, {});
        size = size_;
    }
    is_settling_ = false;
    TRY(sync(files));
    is_settling_ = true;
    return size;
}

Result<> Settlement::sync(std::vector<TileName> const& files)
{
    // Start writing all of them before waiting for one: then the file system needs a commit or two, not one for each file.
    for (auto const& file : files) {
        auto const fd = TRY(open_file(folder_ / file.path()));
        ::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    std::set<Path> folders { folder_ };
    for (auto const& file : files) {
        auto const path = folder_ / file.path();
        TRY(sync_file(path));
        for (auto folder = path.parent_path(); folder != folder_; folder = folder.parent_path())
            folders.insert(folder);
    }
    // Without its entries in the journal a checkpoint could not be made again.
    TRY(sync_file(folder_ / "checkpoint"));
    for (auto const& folder : folders)
        TRY(sync_folder(folder));
    return {};
}

} // namespace writ::tlog
