// SPDX-License-Identifier: Apache-2.0
//
// The session policy of an STS session: of what its role may do, only this. Written from decisions, so that a session is never wider than what was decided.
// IAM's policy language, version 2012-10-17.
#pragma once

#include "base/json.h"

#include <span>
#include <string>
#include <vector>

namespace writ::issue {

// A place in S3: a bucket, and the keys below `prefix` (`runs/7` is `runs/7` and all of `runs/7/…`, not `runs/70`); empty: the bucket.
struct S3Place {
    std::string bucket;
    std::string prefix; // neither begins nor ends with `/`
    bool operator==(S3Place const&) const = default;
};

// Of `bucket` and `prefix`. SECURITY: no `*`, `?` or `$`, which a policy would read as patterns and variables.
Result<S3Place> parse_s3_place(JsonObject const& resource);

struct S3Access {
    S3Place place;
    bool may_write = false; // and read
};
// read, train, evaluate: objects are got and listed. write: put and deleted besides. permission_denied: any other action.
Result<bool> is_write_action(std::string_view action);

// LIMIT: STS takes no longer session policy (AssumeRoleWithWebIdentity, parameter Policy).
inline constexpr std::size_t session_policy_bytes_max = 2048;

// invalid_argument: longer than STS takes. Without any white space: Ceph does not read `+` as one in a form.
// `partition` is that of the role's ARN: `aws`, `aws-cn`, `aws-us-gov`.
Result<std::string> session_policy(std::string_view partition, std::span<S3Access const>);

// Of a session that is there to assume `role`, and for nothing else.
std::string chain_policy(std::string_view role);

// In words: `read s3://genomes/public, write s3://runs/7`.
std::string scope_text(std::span<S3Access const>);

} // namespace writ::issue
