// SPDX-License-Identifier: Apache-2.0
#include "issue/object_place.h"

#include <algorithm>

namespace writ::issue {

namespace {

// LIMIT: it is repeated in conditions of some thousand characters.
constexpr std::size_t prefix_bytes_max = 512;
// LIMIT: Google Cloud Storage's; others allow 63.
constexpr std::size_t bucket_bytes_max = 222;

bool is_bucket_name(std::string_view name)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
    return name.size() >= 3 && name.size() <= bucket_bytes_max && name.find_first_not_of(allowed) == std::string_view::npos && name.front() != '.' && name.front() != '-';
}

bool is_prefix(std::string_view prefix)
{
    constexpr std::string_view special = "*?$'\"`\\";
    auto const is_bad = [&](char c) { return special.find(c) != std::string_view::npos || static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
    return prefix.size() <= prefix_bytes_max && std::none_of(prefix.begin(), prefix.end(), is_bad) && !prefix.starts_with('/') && !prefix.ends_with('/')
        && prefix.find("//") == std::string_view::npos;
}

} // namespace

Result<ObjectPlace> parse_object_place(JsonObject const& resource)
{
    auto const bucket = TRY(string_member(resource, "bucket"));
    auto const prefix = TRY(string_member(resource, "prefix"));
    ObjectPlace place { std::string(bucket), std::string(prefix) };
    if (!is_bucket_name(place.bucket))
        return invalid_argument("`" + place.bucket + "` is no bucket name");
    if (!is_prefix(place.prefix))
        return invalid_argument("`" + place.prefix + "` is no prefix that a condition can hold to: no `*`, `?`, `$`, quotes, spaces or empty segments, at most "
            + std::to_string(prefix_bytes_max) + " bytes");
    return place;
}

Result<ObjectAccess> parse_object_access(Access const& access)
{
    auto place = TRY(parse_object_place(access.resource));
    if (access.action == "read" || access.action == "train" || access.action == "evaluate")
        return ObjectAccess { std::move(place), false };
    if (access.action == "write")
        return ObjectAccess { std::move(place), true };
    return permission_denied("an object store cannot serve action `" + access.action + "`");
}

std::string scope_text(std::string_view scheme, std::span<ObjectAccess const> accesses)
{
    std::string text;
    for (auto const& [place, may_write] : accesses) {
        text += (text.empty() ? "" : ", ") + std::string(may_write ? "write " : "read ") + std::string(scheme) + "://" + place.bucket;
        text += place.prefix.empty() ? "" : "/" + place.prefix;
    }
    return text;
}

} // namespace writ::issue
