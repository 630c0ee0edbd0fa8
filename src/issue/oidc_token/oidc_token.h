// SPDX-License-Identifier: Apache-2.0
//
// A JWT by the authority for any audience, as a file or a variable of the run: for whoever trusts the authority as an OpenID provider and exchanges
// tokens by itself (workload identity federation of SDKs).
#pragma once

#include "issue/credential_issuer.h"

namespace writ::issue {

// `provider`: audience, and token_delivery.h's. A resource: name. The token says `run`, `purpose` and, if there is any, `scope` (RFC 9068 §2.2.3).
std::unique_ptr<CredentialIssuer> create_oidc_token_issuer();

} // namespace writ::issue
