// SPDX-License-Identifier: Apache-2.0
#include "base/secret_file.h"

#include "base/unique_fd.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace writ {

namespace {

constexpr mode_t others = S_IROTH | S_IWOTH;

std::string in_octal(mode_t mode)
{
    std::array<char, 8> text {};
    std::snprintf(text.data(), text.size(), "%04o", unsigned(mode & 07777));
    return text.data();
}

// How many of the bytes are the file's; all: it may have more.
Result<std::size_t> fill(Bytes& bytes, UniqueFd const& fd, Path const& path)
{
    std::size_t size = 0;
    while (size < bytes.size()) {
        auto const got = ::read(fd.get(), bytes.data() + size, bytes.size() - size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno_error("read `" + path.string() + "`", errno);
        if (got == 0)
            break;
        size += static_cast<std::size_t>(got);
    }
    return size;
}

Result<SecretBytes> read_whole(UniqueFd const& fd, Path const& path, std::size_t size_max)
{
    Bytes bytes(size_max + 1);
    auto size = fill(bytes, fd, path);
    if (size.is_ok() && *size > size_max)
        size = resource_exhausted("read `" + path.string() + "`: larger than " + std::to_string(size_max) + " bytes");
    auto whole = size.is_ok() ? Result<SecretBytes>(SecretBytes(Bytes(bytes.data(), bytes.data() + *size))) : Result<SecretBytes>(size.error());
    wipe(bytes.data(), bytes.size());
    return whole;
}

} // namespace

Result<SecretBytes> read_secret_file(Path const& path, std::size_t size_max)
{
    UniqueFd const fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat status { };
    if (!fd.is_open())
        return errno_error("open `" + path.string() + "`", errno);
    if (::fstat(fd.get(), &status) != 0)
        return errno_error("read `" + path.string() + "`", errno);
    // SECURITY: looked at after it was opened, so that it is this file and no other.
    if (S_ISREG(status.st_mode) && (status.st_mode & others) != 0) {
        return invalid_argument("`" + path.string() + "` holds a secret, and every user of this machine may read or change it (mode " + in_octal(status.st_mode)
            + "): `chmod o= " + path.string() + "`");
    }
    return read_whole(fd, path, size_max);
}

} // namespace writ
