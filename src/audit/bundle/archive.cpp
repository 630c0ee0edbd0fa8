// SPDX-License-Identifier: Apache-2.0
#include "audit/bundle/archive.h"

#include "base/assert.h"

#include <algorithm>
#include <set>

namespace writ::audit {

namespace {

constexpr std::size_t block = 512;
constexpr std::size_t name_length_max = 99;
constexpr std::size_t end_blocks = 2;
// SPEC: POSIX pax, ustar: where the fields of a head stand.
constexpr std::size_t mode_at = 100, owner_at = 108, group_at = 116, size_at = 124, time_at = 136, checksum_at = 148, type_at = 156, magic_at = 257,
                      device_at = 329;
constexpr std::size_t size_digits = 11;

bool is_name(std::string_view name)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_/";
    return !name.empty() && name.size() <= name_length_max && name.find_first_not_of(allowed) == std::string_view::npos && name.front() != '/'
        && name.find("..") == std::string_view::npos;
}

std::string octal(std::size_t number, std::size_t digits)
{
    std::string text(digits, '0');
    for (auto place = text.rbegin(); place != text.rend(); ++place, number /= 8)
        *place = static_cast<char>('0' + number % 8);
    return text;
}

std::string head_of(std::string_view name, std::size_t size)
{
    std::string head(block, '\0');
    auto const put = [&head](std::size_t place, std::string_view text) { head.replace(place, text.size(), text); };
    put(0, name);
    put(mode_at, octal(0444, 7));
    put(owner_at, octal(0, 7));
    put(group_at, octal(0, 7));
    put(size_at, octal(size, size_digits));
    put(time_at, octal(0, size_digits));
    put(checksum_at, "        ");
    put(type_at, "0");
    put(magic_at, std::string_view("ustar\0"
                                   "00",
        8));
    put(device_at, octal(0, 7));
    put(device_at + 8, octal(0, 7));
    std::size_t sum = 0;
    for (auto const character : head)
        sum += static_cast<unsigned char>(character);
    put(checksum_at, octal(sum, 6) + std::string("\0 ", 2));
    return head;
}

std::size_t padded(std::size_t size) { return (size + block - 1) / block * block; }

// What the head says of the size; anything that is no head of ours is found when it is written again.
Result<std::size_t> size_in(std::string_view head)
{
    std::size_t size = 0;
    for (auto const digit : head.substr(size_at, size_digits)) {
        if (digit < '0' || digit > '7')
            return corruption("a head has no size");
        size = size * 8 + static_cast<std::size_t>(digit - '0');
    }
    return size;
}

bool is_zero(std::string_view bytes)
{
    return std::ranges::all_of(bytes, [](char byte) { return byte == '\0'; });
}

Result<ArchivedFile> take_file(std::string_view& rest)
{
    auto const head = rest.substr(0, block);
    ArchivedFile file { .name = std::string(head.substr(0, std::min(head.find('\0'), mode_at))), .content = {} };
    auto const size = TRY(size_in(head));
    if (!is_name(file.name) || head != head_of(file.name, size))
        return corruption("a head is not as it is written");
    if (rest.size() - block < padded(size))
        return corruption("`" + file.name + "` is cut off");
    file.content = rest.substr(block, size);
    if (!is_zero(rest.substr(block + size, padded(size) - size)))
        return corruption("bytes follow `" + file.name + "` that are of no file");
    rest.remove_prefix(block + padded(size));
    return file;
}

} // namespace

std::string to_archive(std::vector<ArchivedFile> const& files)
{
    std::string archive;
    for (auto const& file : files) {
        ASSERT(is_name(file.name) && file.content.size() <= archive_bytes_max);
        archive += head_of(file.name, file.content.size());
        archive += file.content;
        archive.resize(padded(archive.size()), '\0');
    }
    archive.append(end_blocks * block, '\0');
    return archive;
}

Result<std::vector<ArchivedFile>> parse_archive(std::string_view archive)
{
    if (archive.size() > archive_bytes_max || archive.size() % block != 0)
        return corruption("an archive has whole blocks of 512 bytes, and 256 MiB at most");
    std::vector<ArchivedFile> files;
    std::set<std::string> names;
    while (archive.size() > end_blocks * block) {
        files.push_back(TRY(take_file(archive)));
        if (files.size() > archive_files_max)
            return corruption("more than " + std::to_string(archive_files_max) + " files");
        if (!names.insert(files.back().name).second)
            return corruption("`" + files.back().name + "` is there twice");
    }
    if (archive.size() != end_blocks * block || !is_zero(archive))
        return corruption("the archive has no end");
    return files;
}

} // namespace writ::audit
