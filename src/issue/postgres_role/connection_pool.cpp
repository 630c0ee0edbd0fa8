// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/connection_pool.h"

#include "base/secret_file.h"

namespace writ::issue {

namespace {

// LIMIT: how long a request waits for one of the connections to a database.
constexpr Duration connection_wait = std::chrono::seconds(10);

Result<SecretText> read_password(std::string const& path)
{
    if (path.empty())
        return SecretText();
    auto const bytes = TRY(read_secret_file(path, 4096).in("the database's password"));
    auto text = as_text(bytes.reveal());
    while (text.ends_with('\n') || text.ends_with('\r'))
        text.remove_suffix(1);
    return SecretText(std::string(text));
}

} // namespace

struct PostgresConnectionPool::Connections {
    std::vector<std::unique_ptr<PostgresConnection>> idle;
    std::size_t open = 0;
    net::Notification freed;
};

PostgresConnectionPool::Borrowed::Borrowed(std::shared_ptr<Connections> home, std::unique_ptr<PostgresConnection> connection)
    : home_(std::move(home))
    , connection_(std::move(connection))
{
}

PostgresConnectionPool::Borrowed::~Borrowed()
{
    if (!home_)
        return;
    if (connection_ && connection_->is_usable())
        home_->idle.push_back(std::move(connection_));
    else
        --home_->open;
    home_->freed.notify();
}

net::Task<Result<std::unique_ptr<PostgresConnection>>> PostgresConnectionPool::connect(PostgresAccount account)
{
    auto password = read_password(account.password_file);
    auto secret = CO_TRY(password);
    co_return co_await PostgresConnection::connect({ account.host, account.port, account.database, account.user, std::move(secret) });
}

net::Task<Result<PostgresConnectionPool::Borrowed>> PostgresConnectionPool::borrow(PostgresAccount account)
{
    auto const key = account.host + '\n' + std::to_string(account.port) + '\n' + account.database + '\n' + account.user;
    auto& kept = connections_[key];
    if (!kept)
        kept = std::make_shared<Connections>();
    auto const home = kept;
    while (home->idle.empty() && home->open >= connections_max_) {
        auto const seen = home->freed.version();
        auto const freed = co_await home->freed.wait_past(seen, connection_wait);
        if (!freed)
            co_return unavailable("all connections to database `" + account.database + "` are busy");
    }
    while (!home->idle.empty()) {
        auto connection = std::move(home->idle.back());
        home->idle.pop_back();
        if (connection->is_usable())
            co_return Borrowed(home, std::move(connection));
        --home->open;
    }
    ++home->open;
    Borrowed place(home, nullptr); // gives the place back if connecting fails
    auto connected = co_await connect(std::move(account));
    auto connection = CO_TRY(connected);
    ++home->open;
    co_return Borrowed(home, std::move(connection));
}

} // namespace writ::issue
