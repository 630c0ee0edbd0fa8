// SPDX-License-Identifier: Apache-2.0
//
// A login by SSH: the agent makes a key for the run and keeps it on the node; this is the user certificate of its public half, by the authority's SSH key. Servers that have
// that key as `TrustedUserCAKeys` let the run in as the principals that were decided. Nobody takes it back; it ends by itself.
#pragma once

#include "base/random.h"
#include "issue/credential_issuer.h"

#include <set>

namespace writ::issue {

// LIMIT: what an OpenSSH server reads of one certificate.
inline constexpr std::size_t ssh_principals_max = 256;

// A name without what `principals` or a server's files of them give another meaning: white space, `,`, control characters.
Result<> check_ssh_principal(std::string_view);
// Separated by blanks: 1 to ssh_principals_max.
Result<std::set<std::string>> parse_ssh_principals(std::string_view);
// `10.0.0.0/8,192.0.2.1`: addresses and prefixes as OpenSSH takes them, without `!`, patterns, and bits behind a prefix.
Result<> check_ssh_sources(std::string_view);
// `permit-pty`, `permit-port-forwarding`, …
Result<> check_ssh_extension(std::string_view);

// `provider`: principals (by action, separated by spaces), force_command, source_address (empty: none), extensions (a list), file (the key's name; the certificate has
// `-cert.pub` behind it), file_variable, environment, known_hosts (of the servers; lines of that file, for one with `-known_hosts` behind it). In a principal, `{workload}` is the SPIFFE ID. A resource: name.
std::unique_ptr<CredentialIssuer> create_ssh_certificate_issuer(Clock const&, RandomSource&);

} // namespace writ::issue
