// SPDX-License-Identifier: Apache-2.0
//
// Sessions at an AWS-style STS (AWS itself, Ceph, MinIO) by AssumeRoleWithWebIdentity: the authority is the identity provider that the role trusts, so
// there is no secret to keep. A session is narrowed by a session policy to what was decided, and tagged with who asked. Nobody can take one back: it
// has no lease, and ends by itself.
#pragma once

#include "issue/credential_issuer.h"

namespace writ::issue {

// What STS itself takes (AssumeRoleWithWebIdentity, parameter DurationSeconds).
inline constexpr Duration sts_session_min = std::chrono::minutes(15);
inline constexpr Duration sts_session_max = std::chrono::hours(12);
// Of a role that is assumed out of another's session (IAM user guide, role chaining).
inline constexpr Duration sts_chained_max = std::chrono::hours(1);

struct AwsStsLimits {
    // LIMIT: each try, and tries of one session. To ask twice does no harm: a session that nobody got is used by nobody.
    Duration connect_deadline = std::chrono::seconds(5);
    Duration response_deadline = std::chrono::seconds(10);
    int tries_max = 3;
    Duration pause_first = std::chrono::milliseconds(200); // doubled after each
    // LIMIT: requests to one STS at once; others wait.
    std::size_t requests_max = 16;
};

// `provider`: endpoint, role, through, region, audience, session_tags, ca_file, store_endpoint (all declared on a CredentialProvider; texts may be
// empty). `through`: a role that trusts the authority, from whose session `role` is assumed; that session may do nothing else.
// A resource: bucket, prefix.
std::unique_ptr<CredentialIssuer> create_aws_sts_issuer(Clock const&, AwsStsLimits = {});

// `https://host[:port]`, or `http://` of a loopback address: a session's secret is in the answer.
Result<> check_sts_endpoint(std::string_view);
// `arn:aws:iam::123456789012:role/name`; its partition.
Result<std::string> partition_of_role(std::string_view arn);

} // namespace writ::issue
