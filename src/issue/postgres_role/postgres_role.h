// SPDX-License-Identifier: Apache-2.0
//
// A PostgreSQL role for one run: it may do what was decided on a data set, and nothing else; its password is sent to the server as a SCRAM verifier only.
// The login that makes roles needs CREATEROLE and the granted rights WITH GRANT OPTION; it owns nothing. For data sets with `rows` it needs CREATE on the database.
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

// `provider`: host, port, database, user, password_file; owner: the role that gets the tables a run made; absent or empty: they are dropped. `resource`: as
// role_grants.h has it.
std::unique_ptr<CredentialIssuer> create_postgres_role_issuer(RandomSource&, PostgresRoleLimits = {});

} // namespace writ::issue
