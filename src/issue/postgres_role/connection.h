// SPDX-License-Identifier: Apache-2.0
//
// One connection to PostgreSQL, without blocking the loop (libpq's asynchronous calls), but for a host name's resolution, which libpq does itself.
#pragma once

#include "base/clock.h"
#include "base/secret.h"
#include "net/task.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace writ::issue {

struct PostgresLogin {
    std::string host; // a name, an address, or a folder with a unix socket
    std::uint16_t port = 5432;
    std::string database;
    std::string user;
    SecretText password; // empty: none
};

class PostgresConnection {
public:
    // unavailable: not reachable or refused, in the server's words.
    static net::Task<Result<std::unique_ptr<PostgresConnection>>> connect(PostgresLogin);
    ~PostgresConnection();
    PostgresConnection(PostgresConnection const&) = delete;
    PostgresConnection& operator=(PostgresConnection const&) = delete;

    using Row = std::vector<std::string>; // NULL is the empty string
    // One or more statements, in one transaction unless they say otherwise; the rows of the last. not_found: SQLSTATE 42704 and the like (no such object);
    // conflict: there already; permission_denied; invalid_argument: a value of another type; unavailable: all else. SECURITY: what is put into `sql` comes through quote functions.
    net::Task<Result<std::vector<Row>>> query(SecretText sql);
    net::Task<Result<std::vector<Row>>> query(std::string sql);

    // The verifier that the server stores (RFC 5803's form), so that no password is sent in a statement, where logs would have it.
    [[nodiscard]] Result<SecretText> scram_verifier(SecretText const& password, std::string const& user) const;

    [[nodiscard]] bool is_usable() const;

private:
    struct State;
    explicit PostgresConnection(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// `"x"` and `'x'`, with what is in it doubled. REQUIRES: no NUL in it.
std::string quote_identifier(std::string_view);
std::string quote_literal(std::string_view);

} // namespace writ::issue
