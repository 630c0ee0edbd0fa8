// SPDX-License-Identifier: Apache-2.0
#include "issue/aws_sts/session_policy.h"

#include <algorithm>
#include <map>

namespace writ::issue {

namespace {

// LIMIT: a prefix is repeated in a policy of 2048 characters.
constexpr std::size_t prefix_bytes_max = 512;

bool is_bucket_name(std::string_view name)
{
    constexpr std::string_view allowed = "abcdefghijklmnopqrstuvwxyz0123456789-.";
    return name.size() >= 3 && name.size() <= 63 && name.find_first_not_of(allowed) == std::string_view::npos && name.front() != '.' && name.front() != '-';
}

bool is_prefix(std::string_view prefix)
{
    auto const is_bad = [](char c) { return c == '*' || c == '?' || c == '$' || c == '"' || c == '\\' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f'; };
    return prefix.size() <= prefix_bytes_max && std::none_of(prefix.begin(), prefix.end(), is_bad) && !prefix.starts_with('/') && !prefix.ends_with('/')
        && prefix.find("//") == std::string_view::npos;
}

JsonObject allow(JsonArray actions, JsonArray resources)
{
    return { { "Effect", "Allow" }, { "Action", std::move(actions) }, { "Resource", std::move(resources) } };
}

// The object of that very name, and those below it.
void append_objects(JsonArray& resources, std::string const& bucket_arn, S3Place const& place)
{
    if (place.prefix.empty()) {
        resources.emplace_back(bucket_arn + "/*");
        return;
    }
    resources.emplace_back(bucket_arn + "/" + place.prefix);
    resources.emplace_back(bucket_arn + "/" + place.prefix + "/*");
}

} // namespace

Result<S3Place> parse_s3_place(JsonObject const& resource)
{
    S3Place place { std::string(TRY(string_member(resource, "bucket"))), std::string(TRY(string_member(resource, "prefix"))) };
    if (!is_bucket_name(place.bucket))
        return invalid_argument("`" + place.bucket + "` is no bucket name");
    if (!is_prefix(place.prefix))
        return invalid_argument("`" + place.prefix + "` is no prefix that a session policy can hold to: no `*`, `?`, `$`, quotes, spaces or empty segments, at most "
            + std::to_string(prefix_bytes_max) + " bytes");
    return place;
}

Result<bool> is_write_action(std::string_view action)
{
    if (action == "read" || action == "train" || action == "evaluate")
        return false;
    if (action == "write")
        return true;
    return permission_denied("S3 cannot serve action `" + std::string(action) + "`");
}

Result<std::string> session_policy(std::string_view partition, std::span<S3Access const> accesses)
{
    JsonArray read, written;
    // One condition for each bucket: names of other prefixes are not to be listed either. No condition: a whole bucket.
    std::map<std::string, std::vector<std::string>> listed;
    for (auto const& [place, may_write] : accesses) {
        auto const bucket_arn = "arn:" + std::string(partition) + ":s3:::" + place.bucket;
        append_objects(read, bucket_arn, place);
        if (may_write)
            append_objects(written, bucket_arn, place);
        listed[bucket_arn].push_back(place.prefix);
    }
    JsonArray statements;
    statements.push_back(allow({ "s3:GetObject", "s3:GetObjectVersion" }, std::move(read)));
    if (!written.empty())
        statements.push_back(allow({ "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts" }, std::move(written)));
    for (auto const& [bucket_arn, prefixes] : listed) {
        auto statement = allow({ "s3:ListBucket" }, { bucket_arn });
        JsonArray patterns;
        for (auto const& prefix : prefixes) {
            patterns.emplace_back(prefix + "/");
            patterns.emplace_back(prefix + "/*");
        }
        if (std::find(prefixes.begin(), prefixes.end(), "") == prefixes.end())
            statement.emplace("Condition", JsonObject { { "StringLike", JsonObject { { "s3:prefix", std::move(patterns) } } } });
        statements.push_back(std::move(statement));
    }
    auto text = to_text(JsonValue(JsonObject { { "Version", "2012-10-17" }, { "Statement", std::move(statements) } }));
    if (text.size() > session_policy_bytes_max)
        return invalid_argument("the session policy for " + std::to_string(accesses.size()) + " places in S3 has " + std::to_string(text.size())
            + " bytes; STS takes " + std::to_string(session_policy_bytes_max) + ": ask for fewer data sets at once, by name");
    return text;
}

std::string chain_policy(std::string_view role)
{
    return to_text(JsonValue(JsonObject { { "Version", "2012-10-17" },
        { "Statement", JsonArray { allow({ "sts:AssumeRole", "sts:TagSession" }, { role }) } } }));
}

std::string scope_text(std::span<S3Access const> accesses)
{
    std::string text;
    for (auto const& [place, may_write] : accesses) {
        text += text.empty() ? "" : ", ";
        text += (may_write ? "write s3://" : "read s3://") + place.bucket + (place.prefix.empty() ? "" : "/" + place.prefix);
    }
    return text;
}

} // namespace writ::issue
