// SPDX-License-Identifier: Apache-2.0
//
// Sessions at an AWS-style STS (AWS itself, Ceph, MinIO) by AssumeRoleWithWebIdentity: the authority is the identity provider that the role trusts, so
// there is no secret to keep. A session is narrowed by a session policy to what was decided, and tagged with who asked. Nobody can take one back: it
// has no lease, and ends by itself.
#pragma once

#include "issue/token_services.h"

namespace writ::issue {

// What STS itself takes (AssumeRoleWithWebIdentity, parameter DurationSeconds).
inline constexpr Duration sts_session_min = std::chrono::minutes(15);
inline constexpr Duration sts_session_max = std::chrono::hours(12);
// Of a role that is assumed out of another's session (IAM user guide, role chaining).
inline constexpr Duration sts_chained_max = std::chrono::hours(1);

// `provider`: endpoint, role, through, region, audience, session_tags, ca_file, store_endpoint (all declared on a CredentialProvider; texts may be
// empty). `through`: a role that trusts the authority, from whose session `role` is assumed; that session may do nothing else.
// A resource: bucket, prefix.
std::unique_ptr<CredentialIssuer> create_aws_sts_issuer(Clock const&, TokenServiceLimits = {});

// `arn:aws:iam::123456789012:role/name`; its partition.
Result<std::string> partition_of_role(std::string_view arn);

} // namespace writ::issue
