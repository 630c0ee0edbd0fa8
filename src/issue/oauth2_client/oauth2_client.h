// SPDX-License-Identifier: Apache-2.0
//
// Access tokens by the client credentials grant (RFC 6749 §4.4): the authority is the client, and proves it with a JWT of its own (private_key_jwt, RFC 7523)
// or with a sealed secret.
#pragma once

#include "issue/token_services.h"

namespace writ::issue {

// `provider`: endpoint, ca_file, revocation_endpoint (RFC 7009; may be absent), client_id, authentication (private_key_jwt, client_secret_basic, client_secret_post), secret (name of a sealed secret; empty with
// private_key_jwt), parameters (more of the form: `resource`, `audience`), and token_delivery.h's. A resource: name.
std::unique_ptr<CredentialIssuer> create_oauth2_client_issuer(Clock const&, TokenServiceLimits = {});

} // namespace writ::issue
