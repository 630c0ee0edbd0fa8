// SPDX-License-Identifier: Apache-2.0
//
// A secret that Vault, or OpenBao, keeps in a KV engine (version 2). The authority logs in there with a JWT of the workload, reads the secret, and gives its own token back
// at once: a run never has one. What ends is the file in the run's folder, as of a sealed secret.
#pragma once

#include "base/random.h"
#include "issue/token_services.h"

namespace writ::issue {

// Segments of letters, digits and `-_.`, with `/` between them: what is the same in a URL, whoever reads it.
Result<> check_vault_path(std::string_view);
// What is one header line, or one member's name.
Result<> check_vault_word(std::string_view);

// `provider`: address (`https://host[:port]`), ca_file, namespace, auth (mount of the JWT method), role, audience, mount, path, field (empty: all of them, as one JSON object), and
// token_delivery.h's. A resource: name.
std::unique_ptr<CredentialIssuer> create_vault_kv_issuer(Clock const&, RandomSource&, TokenServiceLimits = {});

} // namespace writ::issue
