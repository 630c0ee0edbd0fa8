// SPDX-License-Identifier: Apache-2.0
//
// What Vault answers, as the API's documentation of version 1.14 has it.
#pragma once

#include "issue/credential_issuer.h"
#include "net/http_message.h"

namespace writ::issue {

// `auth.client_token` of a login. invalid_argument: none that is one line of a header.
Result<SecretText> parse_vault_login(std::string_view body);

// `data.data` and `data.metadata.version` of a KV engine of version 2: one field's text, or the whole as JSON. not_found: no such field. invalid_argument: another answer, or
// a value that no file or variable could hold.
Result<StoredSecret> parse_vault_secret(std::string_view body, std::string_view field);

// Vault's words, `{"errors": […]}`. Of a login, 400 is a JWT or a role that it does not take.
Error error_of_vault_login(net::Response const&);
Error error_of_vault(net::Response const&);

} // namespace writ::issue
