// SPDX-License-Identifier: Apache-2.0
//
// What a role made in the database of a connection, and what becomes of it when the role ends. REQUIRES of all: the role cannot log in and has no session; the
// connection's user is a member of it.
#pragma once

#include "issue/postgres_role/connection.h"

namespace writ::issue {

// Its tables become another role's; of a table nothing but rows, columns, keys and plain indexes. SECURITY: what is code (triggers, rules, policies, defaults,
// checks, expressions) would run as whoever uses the table next, and what the role granted to others would stay; both go. Tables that are parts of others stay behind.
// What `owner` may not have (no CREATE on the schema, no such role, no membership of ours) becomes the connection's user's: a role's end waits for nobody's rights.
// Returns those tables.
net::Task<Result<std::vector<std::string>>> hand_over_tables(PostgresConnection& connection, std::string role, std::string owner);

// Everything else, and what others built on it. In portions: an object takes a lock, and a server has some thousands, which a job could exceed on purpose.
net::Task<Result<>> drop_owned(PostgresConnection& connection, std::string role);

} // namespace writ::issue
