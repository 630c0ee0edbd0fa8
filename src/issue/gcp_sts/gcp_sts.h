// SPDX-License-Identifier: Apache-2.0
//
// Google Cloud access tokens by workload identity federation: our JWT for a federated token (RFC 8693), that for a token of a service account, and that for one
// which a credential access boundary narrows to what was decided. No key is kept. Nobody can take one back: it has no lease, and ends by itself.
#pragma once

#include "issue/token_services.h"

namespace writ::issue {

// A client of Google's takes a token with less than four minutes left for none; half-way, one of the shortest has five.
inline constexpr Duration gcp_token_min = std::chrono::minutes(10);
// What IAM Credentials gives at most (generateAccessToken, lifetime; beyond an hour only where the organisation's policy allows it).
inline constexpr Duration gcp_token_max = std::chrono::hours(12);

// `provider`: workload_identity_provider, service_account, project, audience, sts_endpoint, iam_endpoint, store_endpoint, ca_file (all declared on a
// CredentialProvider; texts may be empty). A resource: bucket, prefix.
std::unique_ptr<CredentialIssuer> create_gcp_sts_issuer(Clock const&, TokenServiceLimits = {});

// `projects/123456789/locations/global/workloadIdentityPools/POOL/providers/PROVIDER`.
Result<> check_workload_identity_provider(std::string_view name);
// `name@project.iam.gserviceaccount.com`.
Result<> check_service_account(std::string_view email);

} // namespace writ::issue
