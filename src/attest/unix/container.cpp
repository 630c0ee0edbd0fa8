// SPDX-License-Identifier: Apache-2.0
#include "attest/unix/container.h"

#include "base/json.h"
#include "base/unique_fd.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace writ::attest {

namespace {

constexpr std::size_t id_characters = 64;
constexpr std::string_view digest_prefix = "sha256:";
// LIMIT: some ten thousand containers or images.
constexpr std::size_t storage_file_bytes_max = 32U << 20U;
// LIMIT: containers whose image is remembered.
constexpr std::size_t digests_max = 4096;

bool is_hexadecimal(std::string_view text) { return text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

// `libpod-ID`, as a group of the engine's own or a scope of systemd's.
std::string_view id_in(std::string_view segment)
{
    for (auto const prefix : { std::string_view("libpod-"), std::string_view("crio-") }) {
        if (!segment.starts_with(prefix))
            continue;
        segment.remove_prefix(prefix.size());
        if (segment.ends_with(".scope"))
            segment.remove_suffix(std::string_view(".scope").size());
        return segment.size() == id_characters && is_hexadecimal(segment) ? segment : std::string_view();
    }
    return {};
}

Result<JsonObject> entry_of(std::string_view list, std::string_view id)
{
    auto const parsed = TRY(parse_json(list, { .size_max = storage_file_bytes_max }));
    if (!parsed.is_array())
        return corruption("it is no list");
    for (auto const& item : parsed.as_array())
        if (item.is_object() && string_or(item.as_object(), "id", "") == id)
            return item.as_object();
    return not_found("it has no `" + std::string(id) + "`");
}

// SECURITY: what any other user could write would make a container of whatever image.
Result<std::string> read_own(Path const& file)
{
    UniqueFd const opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat status { };
    if (!opened.is_open() || ::fstat(opened.get(), &status) != 0)
        return errno_error("open `" + file.string() + "`", errno);
    if ((status.st_uid != 0 && status.st_uid != ::geteuid()) || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return permission_denied("`" + file.string() + "` could be written by others");
    return to_text(TRY(read_file("/proc/self/fd/" + std::to_string(opened.get()), storage_file_bytes_max)));
}

} // namespace

std::optional<ContainerGroup> parse_container_group(std::string_view path)
{
    for (std::size_t begin = 0; begin < path.size();) {
        auto const end = std::min(path.find('/', begin), path.size());
        if (auto const id = id_in(path.substr(begin, end - begin)); !id.empty())
            return ContainerGroup { std::string(id), std::string(path.substr(0, end)) };
        begin = end + 1;
    }
    return std::nullopt;
}

Result<std::string> image_of_container(std::string_view containers, std::string_view id)
{
    auto const container = TRY(entry_of(containers, id));
    std::string image(string_or(container, "image", ""));
    if (image.empty())
        return not_found("container `" + std::string(id) + "` was made of no image");
    return image;
}

Result<std::string> digest_of_image(std::string_view images, std::string_view id)
{
    std::string digest(string_or(TRY(entry_of(images, id)), "digest", ""));
    auto const hexadecimal = std::string_view(digest).substr(std::min(digest.size(), digest_prefix.size()));
    if (!digest.starts_with(digest_prefix) || hexadecimal.size() != id_characters || !is_hexadecimal(hexadecimal))
        return not_found("image `" + std::string(id) + "` has no SHA-256 of its manifest");
    return digest;
}

ContainerImages::ContainerImages(Path storage)
    : storage_(std::move(storage))
{
}

Result<std::string> ContainerImages::digest_of(std::string const& container)
{
    if (auto const known = digests_.find(container); known != digests_.end())
        return known->second;
    auto digest = TRY(look_up(container));
    if (digests_.size() >= digests_max)
        digests_.clear();
    return digests_.emplace(container, std::move(digest)).first->second;
}

// A folder for each storage driver; a node has one, seldom two.
Result<std::string> ContainerImages::look_up(std::string const& container) const
{
    for (auto const* driver : { "overlay", "vfs", "btrfs", "zfs" }) {
        for (auto const* list : { "containers.json", "volatile-containers.json" }) {
            auto const containers = read_own(storage_ / (std::string(driver) + "-containers") / list);
            if (containers.is_error() && containers.error().code == ErrorCode::not_found)
                continue;
            auto const image = image_of_container(TRY(containers), container);
            if (image.is_error() && image.error().code == ErrorCode::not_found)
                continue;
            auto const images = TRY(read_own(storage_ / (std::string(driver) + "-images") / "images.json"));
            return digest_of_image(images, TRY(image));
        }
    }
    return not_found("no container `" + container + "` in `" + storage_.string() + "`");
}

} // namespace writ::attest
