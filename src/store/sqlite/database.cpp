// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/database.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <map>
#include <sqlite3.h>

namespace writ::store {

namespace {

Error sqlite_error(sqlite3* connection, std::string_view what)
{
    auto message = std::string(what) + ": " + sqlite3_errmsg(connection);
    switch (sqlite3_errcode(connection)) {
    case SQLITE_FULL: return resource_exhausted(std::move(message));
    case SQLITE_IOERR:
        return sqlite3_system_errno(connection) == ENOSPC ? resource_exhausted(std::move(message)) : unavailable(std::move(message));
    case SQLITE_CONSTRAINT: return conflict(std::move(message));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return corruption(std::move(message));
    default: return unavailable(std::move(message));
    }
}

struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

} // namespace

struct Statement::State {
    sqlite3* connection;
    std::unique_ptr<sqlite3_stmt, FinalizeStatement> statement;
    int bound = 0;
};

Statement& Statement::bind(std::string_view text)
{
    ASSERT(sqlite3_bind_text64(
               state_->statement.get(), ++state_->bound, text.empty() ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8)
        == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(std::int64_t number)
{
    ASSERT(sqlite3_bind_int64(state_->statement.get(), ++state_->bound, number) == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(BytesView blob)
{
    static std::uint8_t const nothing = 0;
    ASSERT(
        sqlite3_bind_blob64(state_->statement.get(), ++state_->bound, blob.empty() ? &nothing : blob.data(), blob.size(), SQLITE_TRANSIENT)
        == SQLITE_OK);
    return *this;
}

Statement& Statement::bind(std::optional<Timestamp> time)
{
    if (time)
        return bind(*time);
    ASSERT(sqlite3_bind_null(state_->statement.get(), ++state_->bound) == SQLITE_OK);
    return *this;
}

Result<bool> Statement::step()
{
    switch (sqlite3_step(state_->statement.get())) {
    case SQLITE_ROW: return true;
    case SQLITE_DONE: sqlite3_reset(state_->statement.get()); return false;
    default: break;
    }
    auto error = sqlite_error(state_->connection, "database");
    sqlite3_reset(state_->statement.get());
    return error;
}

Result<std::size_t> Statement::run()
{
    while (TRY(step())) { }
    return static_cast<std::size_t>(sqlite3_changes(state_->connection));
}

std::string Statement::text(int column) const
{
    auto const* bytes = sqlite3_column_text(state_->statement.get(), column);
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(state_->statement.get(), column));
    return bytes == nullptr ? std::string() : std::string(reinterpret_cast<char const*>(bytes), size);
}

std::int64_t Statement::number(int column) const { return sqlite3_column_int64(state_->statement.get(), column); }

Bytes Statement::blob(int column) const
{
    auto const* bytes = static_cast<std::uint8_t const*>(sqlite3_column_blob(state_->statement.get(), column));
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(state_->statement.get(), column));
    return bytes == nullptr ? Bytes() : Bytes(bytes, bytes + size);
}

std::optional<Timestamp> Statement::optional_time(int column) const
{
    if (sqlite3_column_type(state_->statement.get(), column) == SQLITE_NULL)
        return std::nullopt;
    return time(column);
}

struct Database::State {
    std::unique_ptr<sqlite3, CloseConnection> connection;                     // after the statements: destroyed last
    std::map<std::string_view, std::shared_ptr<Statement::State>> statements; // by their text, which is static
};

Database::Database(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}

Database::~Database() { state_->statements.clear(); }

Result<std::shared_ptr<Database>> Database::connect(Path const& path, int flags)
{
    sqlite3* connection = nullptr;
    auto const opened = sqlite3_open_v2(path.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    auto state = std::make_unique<State>();
    state->connection.reset(connection);
    if (opened != SQLITE_OK)
        return sqlite_error(connection, "open `" + path.string() + "`");
    // LIMIT: for a second process that looks at the file, such as a backup.
    sqlite3_busy_timeout(connection, 2000);
    return std::shared_ptr<Database>(new Database(std::move(state))); // NOLINT: the constructor is private
}

Result<std::shared_ptr<Database>> Database::open(Path const& path)
{
    if (path != ":memory:") {
        // SQLite would create it for everybody to read.
        UniqueFd const file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!file.is_open())
            return errno_error("open `" + path.string() + "`", errno);
    }
    auto const database = TRY(connect(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    TRY(database->execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF")
            .in("open `" + path.string() + "`"));
    return database;
}

Result<std::shared_ptr<Database>> Database::open_to_read(Path const& path)
{
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error))
        return not_found("no database `" + path.string() + "`");
    auto const database = TRY(connect(path, SQLITE_OPEN_READONLY));
    TRY(database->execute("PRAGMA query_only=ON; PRAGMA trusted_schema=OFF").in("open `" + path.string() + "`"));
    return database;
}

Result<> Database::execute(char const* sql)
{
    if (sqlite3_exec(state_->connection.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return sqlite_error(state_->connection.get(), "database");
    return {};
}

Result<Statement> Database::prepare(char const* sql)
{
    auto& kept = state_->statements[sql];
    if (!kept) {
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v3(state_->connection.get(), sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
            return sqlite_error(state_->connection.get(), "database");
        kept = std::make_shared<Statement::State>(Statement::State { state_->connection.get(), {}, 0 });
        kept->statement.reset(statement);
    }
    sqlite3_reset(kept->statement.get());
    sqlite3_clear_bindings(kept->statement.get());
    kept->bound = 0;
    return Statement(kept);
}

} // namespace writ::store
