// SPDX-License-Identifier: Apache-2.0
//
// Microsoft Entra tokens of an application that trusts this authority (a federated credential): our JWT instead of a secret (RFC 7523), by the client credentials grant.
// Entra narrows a token to a resource, not to a container or to reading: that is the application's role assignment, which the declaration says. Nobody can take one
// back: it has no lease, and ends by itself.
#pragma once

#include "issue/token_services.h"

namespace writ::issue {

// A client of Azure's takes a token with less than five minutes left for none.
inline constexpr Duration entra_token_min = std::chrono::minutes(15);
inline constexpr Duration entra_token_max = std::chrono::hours(24);
// Entra gives tokens of 60 to 90 minutes, unless the application has a token lifetime policy; nobody can ask for less.
inline constexpr Duration entra_token_usual = std::chrono::minutes(90);

// `provider`: tenant, client_id, scope, access (`read`, `write`), audience, endpoint, ca_file; all declared on a CredentialProvider. A resource: account, bucket (the
// container), prefix.
std::unique_ptr<CredentialIssuer> create_azure_entra_issuer(Clock const&, TokenServiceLimits = {});

Result<> check_entra_tenant(std::string_view); // a GUID or a domain
Result<> check_entra_client_id(std::string_view); // a GUID
Result<> check_entra_scope(std::string_view); // `https://storage.azure.com/.default`

} // namespace writ::issue
