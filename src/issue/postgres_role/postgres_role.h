// SPDX-License-Identifier: Apache-2.0
//
// A PostgreSQL role for one run: it may do what was decided on one table, and nothing else; its password is sent to the server as a SCRAM verifier only.
// The login that makes roles needs CREATEROLE and the granted rights WITH GRANT OPTION; it owns nothing.
#pragma once

#include "base/random.h"
#include "issue/credential_issuer.h"

namespace writ::issue {

struct PostgresRoleLimits {
    // LIMIT: connections of one run at once.
    int role_connections_max = 20;
    // LIMIT: connections of ours to one database, in use and kept.
    std::size_t connections_max = 8;
};

// `provider`: host, port, database, user, password_file. `resource`: schema, table. Actions: read, train, evaluate (SELECT); write (SELECT, INSERT, UPDATE, DELETE).
std::unique_ptr<CredentialIssuer> create_postgres_role_issuer(RandomSource&, PostgresRoleLimits = {});

} // namespace writ::issue
