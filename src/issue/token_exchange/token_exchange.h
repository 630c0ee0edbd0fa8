// SPDX-License-Identifier: Apache-2.0
//
// Tokens of a third party for one of the authority's own: token exchange (RFC 8693) or the JWT bearer grant (RFC 7523 §2.1), as a form or, for who wants it
// so, as JSON.
#pragma once

#include "issue/token_services.h"

namespace writ::issue {

// `provider`: endpoint, ca_file, revocation_endpoint (RFC 7009; may be absent), audience (of the token that is shown), grant (token-exchange, jwt-bearer), subject_token_type, body (form, json), parameters
// (more of the request: `resource`, `audience`, `client_id`), headers, and token_delivery.h's. A resource: name.
std::unique_ptr<CredentialIssuer> create_token_exchange_issuer(Clock const&, TokenServiceLimits = {});

} // namespace writ::issue
