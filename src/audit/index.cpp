// SPDX-License-Identifier: Apache-2.0
#include "audit/index.h"

#include <algorithm>
#include <sqlite3.h>

namespace writ::audit {

namespace {

constexpr std::int64_t schema_version = 1;
constexpr char const* schema = R"sql(
PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;
CREATE TABLE IF NOT EXISTS records (sequence INTEGER PRIMARY KEY, type INTEGER NOT NULL, allowed INTEGER, workload TEXT NOT NULL, name TEXT NOT NULL, run TEXT NOT NULL,
    resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, trace TEXT NOT NULL, lease TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS records_workload ON records (workload) WHERE workload <> '';
CREATE INDEX IF NOT EXISTS records_name ON records (name) WHERE name <> '';
CREATE INDEX IF NOT EXISTS records_run ON records (run) WHERE run <> '';
CREATE INDEX IF NOT EXISTS records_resource ON records (resource_id, resource_type) WHERE resource_id <> '';
CREATE INDEX IF NOT EXISTS records_type ON records (type);
CREATE INDEX IF NOT EXISTS records_lease ON records (lease) WHERE lease <> '';
)sql";

struct CloseConnection {
    void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct FinalizeStatement {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using ConnectionOwner = std::unique_ptr<sqlite3, CloseConnection>;
using StatementOwner = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

Error sqlite_error(sqlite3* connection)
{
    auto const code = sqlite3_errcode(connection);
    auto message = std::string("audit index: ") + sqlite3_errmsg(connection);
    return code == SQLITE_FULL ? resource_exhausted(std::move(message)) : unavailable(std::move(message));
}

Result<> execute(sqlite3* connection, char const* sql)
{
    if (sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        return sqlite_error(connection);
    return {};
}

Result<StatementOwner> prepare(sqlite3* connection, std::string const& sql)
{
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(connection, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
        return sqlite_error(connection);
    return StatementOwner(statement);
}

// Not `bind`: for a std::string that would be std::bind, which does nothing, silently.
void bind_value(sqlite3_stmt* statement, int place, std::string const& text)
{
    ASSERT(sqlite3_bind_text64(statement, place, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8) == SQLITE_OK);
}

void bind_value(sqlite3_stmt* statement, int place, std::uint64_t number)
{
    ASSERT(sqlite3_bind_int64(statement, place, static_cast<std::int64_t>(number)) == SQLITE_OK);
}

Result<std::vector<std::uint64_t>> read_numbers(sqlite3* connection, sqlite3_stmt* statement)
{
    std::vector<std::uint64_t> numbers;
    for (;;) {
        auto const step = sqlite3_step(statement);
        if (step == SQLITE_DONE)
            return numbers;
        if (step != SQLITE_ROW)
            return sqlite_error(connection);
        numbers.push_back(static_cast<std::uint64_t>(sqlite3_column_int64(statement, 0)));
    }
}

// nullptr if the file is not an index of this version.
ConnectionOwner try_open(Path const& file)
{
    sqlite3* connection = nullptr;
    auto const opened = sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    ConnectionOwner owner(connection);
    if (opened != SQLITE_OK)
        return nullptr;
    auto statement = prepare(owner.get(), "PRAGMA user_version");
    if (statement.is_error())
        return nullptr;
    auto const version = read_numbers(owner.get(), statement->get());
    if (version.is_error() || version->size() != 1 || version->front() > static_cast<std::uint64_t>(schema_version))
        return nullptr;
    if (version->front() == 0 && execute(owner.get(), ("PRAGMA user_version=" + std::to_string(schema_version)).c_str()).is_error())
        return nullptr;
    return execute(owner.get(), schema).is_ok() ? std::move(owner) : nullptr;
}

void remove_files(Path const& file)
{
    std::error_code error;
    for (auto const* ending : { "", "-wal", "-shm", "-journal" })
        std::filesystem::remove(file.string() + ending, error);
}

// A filter's conditions as SQL, and the texts and numbers they compare with.
struct Conditions {
    std::string sql;
    std::vector<std::string> texts;

    void add(std::string const& condition, std::string text)
    {
        texts.push_back(std::move(text));
        auto const place = "?" + std::to_string(texts.size());
        std::string placed;
        for (char const c : condition)
            placed += c == '?' ? place : std::string(1, c);
        sql += (sql.empty() ? " WHERE " : " AND ") + placed;
    }
    void add_number(std::string const& condition, std::uint64_t number) { sql += (sql.empty() ? " WHERE " : " AND ") + condition + std::to_string(number); }
};

Conditions conditions_of(RecordFilter const& filter)
{
    Conditions conditions;
    if (filter.type)
        conditions.add_number("type = ", static_cast<std::uint64_t>(*filter.type));
    if (filter.allowed)
        conditions.add_number("allowed = ", *filter.allowed ? 1 : 0);
    if (filter.before)
        conditions.add_number("sequence < ", *filter.before);
    if (!filter.workload.empty())
        conditions.add("(workload = ? OR name = ?)", filter.workload);
    if (!filter.run.empty())
        conditions.add("run = ?", filter.run);
    if (!filter.trace.empty())
        conditions.add("trace = ?", filter.trace);
    if (auto const colons = filter.resource.find("::"); colons != std::string::npos) {
        conditions.add("resource_type = ?", filter.resource.substr(0, colons));
        conditions.add("resource_id = ?", filter.resource.substr(colons + 2));
    } else if (!filter.resource.empty()) {
        conditions.add("resource_id = ?", filter.resource);
    }
    return conditions;
}

} // namespace

struct Index::State {
    ConnectionOwner connection;
    StatementOwner insert;
};

Index::Index(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}

Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(Path file)
{
    auto state = std::make_unique<State>();
    state->connection = try_open(file);
    if (!state->connection) {
        remove_files(file);
        state->connection = try_open(file);
    }
    if (!state->connection)
        return unavailable("audit index: `" + file.string() + "` cannot be written");
    state->insert = TRY(prepare(state->connection.get(), "INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
    return std::unique_ptr<Index>(new Index(std::move(state))); // NOLINT: the constructor is private
}

Result<std::uint64_t> Index::next()
{
    auto const statement = TRY(prepare(state_->connection.get(), "SELECT coalesce(max(sequence) + 1, 0) FROM records"));
    return TRY(read_numbers(state_->connection.get(), statement.get())).front();
}

Result<> Index::add(std::uint64_t first, std::vector<Record> const& records)
{
    auto* const connection = state_->connection.get();
    auto* const insert = state_->insert.get();
    TRY(execute(connection, "BEGIN"));
    for (auto const& record : records) {
        sqlite3_reset(insert);
        sqlite3_clear_bindings(insert);
        bind_value(insert, 1, first++);
        bind_value(insert, 2, static_cast<std::uint64_t>(record.type));
        if (record.allowed)
            bind_value(insert, 3, std::uint64_t(*record.allowed ? 1 : 0));
        bind_value(insert, 4, record.workload);
        bind_value(insert, 5, record.workload_name);
        bind_value(insert, 6, record.run);
        bind_value(insert, 7, record.resource ? record.resource->type : std::string());
        bind_value(insert, 8, record.resource ? record.resource->id : std::string());
        bind_value(insert, 9, record.trace);
        bind_value(insert, 10, record.credential ? record.credential->lease : std::string());
        if (sqlite3_step(insert) != SQLITE_DONE) {
            auto error = sqlite_error(connection);
            sqlite3_reset(insert);
            (void)execute(connection, "ROLLBACK").is_ok();
            return error;
        }
    }
    sqlite3_reset(insert);
    auto const committed = execute(connection, "COMMIT");
    if (committed.is_error())
        (void)execute(connection, "ROLLBACK").is_ok();
    return committed;
}

Result<> Index::clear() { return execute(state_->connection.get(), "DELETE FROM records"); }

Result<std::vector<std::uint64_t>> Index::find(RecordFilter const& filter)
{
    auto const conditions = conditions_of(filter);
    auto const statement = TRY(prepare(
        state_->connection.get(), "SELECT sequence FROM records" + conditions.sql + " ORDER BY sequence DESC LIMIT " + std::to_string(std::min<std::size_t>(filter.limit, 1000))));
    for (std::size_t i = 0; i < conditions.texts.size(); ++i)
        bind_value(statement.get(), static_cast<int>(i) + 1, conditions.texts[i]);
    return read_numbers(state_->connection.get(), statement.get());
}

Result<std::vector<std::uint64_t>> Index::issuances_for(std::string const& type, std::string const& id, std::size_t limit)
{
    auto const statement = TRY(prepare(state_->connection.get(),
        "SELECT sequence FROM records WHERE resource_type = ?1 AND resource_id = ?2 AND type = " + std::to_string(static_cast<int>(RecordType::issuance)) + " ORDER BY sequence DESC LIMIT ?3"));
    bind_value(statement.get(), 1, type);
    bind_value(statement.get(), 2, id);
    bind_value(statement.get(), 3, std::uint64_t(limit));
    return read_numbers(state_->connection.get(), statement.get());
}

Result<std::optional<std::uint64_t>> Index::revocation_of(std::string const& lease)
{
    auto const statement = TRY(prepare(state_->connection.get(),
        "SELECT sequence FROM records WHERE lease = ?1 AND type = " + std::to_string(static_cast<int>(RecordType::revocation)) + " ORDER BY sequence LIMIT 1"));
    bind_value(statement.get(), 1, lease);
    auto const found = TRY(read_numbers(state_->connection.get(), statement.get()));
    return found.empty() ? std::nullopt : std::optional(found.front());
}

} // namespace writ::audit
