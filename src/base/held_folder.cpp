// SPDX-License-Identifier: Apache-2.0
#include "base/held_folder.h"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <vector>

namespace writ {

Result<UniqueFd> lock_folder(Path const& folder)
{
    auto const path = folder / "lock";
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd.is_open())
        return errno_error("open `" + path.string() + "`", errno);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
        return conflict("`" + folder.string() + "` is held by another process");
    return fd;
}

Result<> remove_unfinished(Path const& folder)
{
    std::error_code error;
    std::vector<Path> unfinished;
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error))
        if (entry->path().filename().string().find(".tmp.") != std::string::npos)
            unfinished.push_back(entry->path());
    for (auto const& path : unfinished)
        if (!error)
            std::filesystem::remove(path, error);
    if (error)
        return errno_error("tidy `" + folder.string() + "`", error.value());
    return {};
}

} // namespace writ
