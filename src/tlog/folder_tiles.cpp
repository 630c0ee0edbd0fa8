// SPDX-License-Identifier: Apache-2.0
#include "tlog/folder_tiles.h"

#include "base/unique_fd.h"

#include <cerrno>
#include <fcntl.h>
#include <set>
#include <sys/stat.h>

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

Result<UniqueFd> write_new(Path const& path, BytesView bytes)
{
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open())
        return errno_error("create `" + path.string() + "`", errno);
    while (!bytes.empty()) {
        auto const written = ::write(fd.get(), bytes.data(), bytes.size());
        if (written < 0 && errno != EINTR)
            return errno_error("write `" + path.string() + "`", errno);
        bytes = bytes.subspan(static_cast<std::size_t>(written < 0 ? 0 : written));
    }
    return fd;
}

Result<> make_folder(Path const& folder)
{
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error)
        return errno_error("create folder `" + folder.string() + "`", error.value());
    return {};
}

} // namespace

// What a crash leaves of it is removed when the log is opened.
Path FolderTiles::temporary() { return folder_ / "tmp" / std::to_string(next_++); }

Result<> FolderTiles::place(Path const& temporary, std::string const& path)
{
    auto const name = folder_ / path;
    if (::rename(temporary.c_str(), name.c_str()) == 0)
        return {};
    if (errno != ENOENT)
        return errno_error("rename to `" + name.string() + "`", errno);
    TRY(make_folder(name.parent_path()));
    if (::rename(temporary.c_str(), name.c_str()) != 0)
        return errno_error("rename to `" + name.string() + "`", errno);
    return {};
}

Result<> FolderTiles::put(std::string const& path, BytesView bytes)
{
    auto const file = temporary();
    TRY(write_new(file, bytes));
    return place(file, path);
}

Result<> FolderTiles::replace(std::string const& path, BytesView bytes)
{
    auto const file = temporary();
    auto const fd = TRY(write_new(file, bytes));
    if (::fdatasync(fd.get()) != 0)
        return errno_error("sync `" + file.string() + "`", errno);
    return place(file, path);
}

Result<Bytes> FolderTiles::get(std::string const& path, std::size_t size_max) const { return read_regular_file(folder_ / path, size_max); }

void FolderTiles::remove(std::string const& path)
{
    auto const name = folder_ / path;
    if (::unlink(name.c_str()) == 0 || errno == ENOENT)
        return;
    // What cannot be removed is looked at by nobody, and removed with its folder.
    std::error_code ignored;
    std::filesystem::remove_all(name, ignored);
}

Result<> FolderTiles::settle(std::vector<std::string> const& paths)
{
    // Start writing all of them before waiting for one: then the file system needs a commit or two, not one for each file.
    for (auto const& path : paths) {
        auto const fd = TRY(open_file(folder_ / path));
        ::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);
    }
    std::set<Path> folders { folder_ };
    for (auto const& path : paths) {
        auto const file = folder_ / path;
        TRY(sync_file(file));
        for (auto folder = file.parent_path(); folder != folder_; folder = folder.parent_path())
            folders.insert(folder);
    }
    for (auto const& folder : folders)
        TRY(sync_folder(folder));
    return {};
}

Result<std::vector<std::string>> FolderTiles::find_damaged(std::vector<Expected> const& objects) const
{
    std::vector<std::string> damaged;
    for (auto const& object : objects) {
        struct stat status { };
        auto const is_there = ::stat((folder_ / object.path).c_str(), &status) == 0;
        if (!is_there && errno != ENOENT && errno != ENOTDIR)
            return errno_error("look at `" + object.path + "`", errno);
        if (!is_there || (object.size > 0 ? static_cast<std::size_t>(status.st_size) != object.size : status.st_size == 0))
            damaged.push_back(object.path);
    }
    return damaged;
}

} // namespace writ::tlog
