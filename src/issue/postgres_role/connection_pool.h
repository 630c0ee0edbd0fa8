// SPDX-License-Identifier: Apache-2.0
//
// Connections to databases that are kept between uses: at most so many to one database under one login. Used on one loop.
#pragma once

#include "issue/postgres_role/connection.h"
#include "net/notification.h"

#include <map>

namespace writ::issue {

// A login whose password lies in a file, which may be replaced; empty: none.
struct PostgresAccount {
    std::string host;
    std::uint16_t port = 5432;
    std::string database;
    std::string user;
    std::string password_file;
};

class PostgresConnectionPool {
    struct Connections;

public:
    explicit PostgresConnectionPool(std::size_t connections_max)
        : connections_max_(connections_max)
    {
    }

    // A connection that goes back, or is closed, at the end of its use.
    class Borrowed {
    public:
        Borrowed(std::shared_ptr<Connections> home, std::unique_ptr<PostgresConnection> connection);
        Borrowed(Borrowed&&) noexcept = default;
        Borrowed& operator=(Borrowed&&) noexcept = delete;
        Borrowed(Borrowed const&) = delete;
        Borrowed& operator=(Borrowed const&) = delete;
        ~Borrowed();
        PostgresConnection* operator->() const { return connection_.get(); }
        PostgresConnection& operator*() const { return *connection_; }

    private:
        std::shared_ptr<Connections> home_;
        std::unique_ptr<PostgresConnection> connection_;
    };

    net::Task<Result<Borrowed>> borrow(PostgresAccount account);

    // One that is not kept.
    static net::Task<Result<std::unique_ptr<PostgresConnection>>> connect(PostgresAccount account);

private:
    std::size_t connections_max_;
    std::map<std::string, std::shared_ptr<Connections>> connections_;
};

} // namespace writ::issue
