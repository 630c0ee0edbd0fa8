// SPDX-License-Identifier: Apache-2.0
#include "base/durable_file.h"

#include "base/secret.h"
#include "base/unique_fd.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace writ {

namespace {

std::string quoted(std::string_view verb, Path const& path) { return std::string(verb) + " `" + path.string() + "`"; }

Path folder_of(Path const& path) { return path.has_parent_path() ? path.parent_path() : Path("."); }

// All of the bytes, or the errno of the call that failed.
int write_all(int fd, BytesView bytes)
{
    while (!bytes.empty()) {
        auto const written = ::write(fd, bytes.data(), bytes.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return 0;
}

// A name beside the file that no other thread or process writes to.
Path temporary_name(Path const& path)
{
    static std::atomic<unsigned> counter = 0;
    return Path(path.string() + ".tmp." + std::to_string(::getpid()) + "." + std::to_string(counter++));
}

Result<Path> write_temporary(Path const& path, BytesView bytes, mode_t mode)
{
    auto const temporary = temporary_name(path);
    UniqueFd const fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
    if (!fd.is_open())
        return errno_error(quoted("create", temporary), errno);
    auto error_number = write_all(fd.get(), bytes);
    // The mode given to open is cut by the umask; a caller who names a mode means it.
    if (error_number == 0 && ::fchmod(fd.get(), mode) != 0)
        error_number = errno;
    if (error_number == 0 && ::fsync(fd.get()) != 0)
        error_number = errno;
    if (error_number == 0)
        return temporary;
    ::unlink(temporary.c_str());
    return errno_error(quoted("write", path), error_number);
}

Result<Bytes> read_opened(UniqueFd const& fd, Path const& path, struct stat const& status, std::size_t size_max)
{
    Bytes bytes;
    if (status.st_size > 0)
        bytes.reserve(std::min(static_cast<std::size_t>(status.st_size), size_max));
    // Not read into `bytes` itself, which would be zeroed first: files of /proc are short, have no size, and are read for every caller.
    std::array<std::uint8_t, 16U << 10U> chunk; // NOLINT: uninitialised
    for (;;) {
        auto const got = ::read(fd.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno_error(quoted("read", path), errno);
        bytes.insert(bytes.end(), chunk.begin(), chunk.begin() + got);
        wipe(chunk.data(), static_cast<std::size_t>(got)); // keys are read here too
        if (bytes.size() > size_max)
            return resource_exhausted(quoted("read", path) + ": larger than " + std::to_string(size_max) + " bytes");
        if (got == 0)
            return bytes;
    }
}

Result<Bytes> open_and_read(Path const& path, std::size_t size_max, int flags, bool takes_any)
{
    UniqueFd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | flags));
    if (!fd.is_open())
        return errno_error(quoted("open", path), errno);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0)
        return errno_error(quoted("read", path), errno);
    if (!takes_any && !S_ISREG(status.st_mode))
        return invalid_argument("`" + path.string() + "` is no regular file");
    return read_opened(fd, path, status, size_max);
}

// The errno of mkdir, or 0.
int make_folder(Path const& path, mode_t mode) { return ::mkdir(path.c_str(), mode & 0700) == 0 ? 0 : errno; }

Result<> created_folder(Path const& path, mode_t mode, int error_number)
{
    std::error_code ignored;
    if (error_number == EEXIST && std::filesystem::is_directory(path, ignored))
        return {};
    if (error_number != 0)
        return errno_error(quoted("create folder", path), error_number);
    // As for files: a caller who names a mode means it, whatever the umask.
    if ((mode & 0077) != 0 && ::chmod(path.c_str(), mode) != 0)
        return errno_error(quoted("set the mode of folder", path), errno);
    return sync_folder(folder_of(path));
}

} // namespace

Result<Bytes> read_file(Path const& path, std::size_t size_max) { return open_and_read(path, size_max, 0, true); }

Result<Bytes> read_regular_file(Path const& path, std::size_t size_max) { return open_and_read(path, size_max, O_NONBLOCK, false); }

Result<> replace_file(Path const& path, BytesView bytes, mode_t mode)
{
    auto const temporary = TRY(write_temporary(path, bytes, mode));
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        auto const error_number = errno;
        ::unlink(temporary.c_str());
        return errno_error(quoted("rename to", path), error_number);
    }
    return sync_folder(folder_of(path));
}

Result<> create_file(Path const& path, BytesView bytes, mode_t mode)
{
    auto const temporary = TRY(write_temporary(path, bytes, mode));
    // link(2), unlike rename(2), fails if the name is taken.
    auto const linked = ::link(temporary.c_str(), path.c_str());
    auto const error_number = errno;
    ::unlink(temporary.c_str());
    if (linked != 0)
        return errno_error(quoted("create", path), error_number);
    return sync_folder(folder_of(path));
}

Result<> create_folder(Path const& path, mode_t mode)
{
    auto made = make_folder(path, mode);
    if (made != ENOENT || !path.has_parent_path() || path.parent_path() == path)
        return created_folder(path, mode, made);
    TRY(create_folder(path.parent_path(), mode));
    // Once: where nobody can make a folder (in /proc, on a mount that went away) ENOENT is not for want of the parent.
    made = make_folder(path, mode);
    return created_folder(path, mode, made);
}

Result<> sync_folder(Path const& path)
{
    UniqueFd const fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.is_open() || ::fsync(fd.get()) != 0)
        return errno_error(quoted("sync folder", path), errno);
    return {};
}

} // namespace writ
