// SPDX-License-Identifier: Apache-2.0
#include "audit/index.h"

#include <algorithm>
#include <fcntl.h>
#include <functional>
#include <sqlite3.h>

namespace writ::audit {

namespace {

constexpr std::int64_t schema_version = 2;
// Entries that are no records.
constexpr std::int64_t no_type = -1;

// A partial index for issuances: a data set that was decided about a million times was issued for a thousand times.
constexpr char const* schema = R"sql(
PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA trusted_schema=OFF;
CREATE TABLE IF NOT EXISTS records (sequence INTEGER PRIMARY KEY, type INTEGER NOT NULL, allowed INTEGER, workload TEXT NOT NULL, name TEXT NOT NULL, run TEXT NOT NULL,
    resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, trace TEXT NOT NULL, lease TEXT NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS records_workload ON records (workload) WHERE workload <> '';
CREATE INDEX IF NOT EXISTS records_name ON records (name) WHERE name <> '';
CREATE INDEX IF NOT EXISTS records_run ON records (run) WHERE run <> '';
CREATE INDEX IF NOT EXISTS records_resource ON records (resource_id, resource_type) WHERE resource_id <> '';
CREATE INDEX IF NOT EXISTS records_issued ON records (resource_id, resource_type) WHERE type = 1;
CREATE INDEX IF NOT EXISTS records_trace ON records (trace) WHERE trace <> '';
CREATE INDEX IF NOT EXISTS records_type ON records (type);
CREATE INDEX IF NOT EXISTS records_lease ON records (lease) WHERE lease <> '';
)sql";
static_assert(static_cast<int>(RecordType::issuance) == 1 && static_cast<int>(RecordType::revocation) == 2); // as the SQL here has it

// LIMIT: records of one answer.
constexpr std::size_t records_max = 1000;

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
    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return corruption(std::move(message));
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

void bind_value(sqlite3_stmt* statement, int place, std::int64_t number)
{
    ASSERT(sqlite3_bind_int64(statement, place, number) == SQLITE_OK);
}
void bind_value(sqlite3_stmt* statement, int place, std::uint64_t number)
{
    bind_value(statement, place, static_cast<std::int64_t>(number));
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

constexpr char const* in_memory = ":memory:";

// nullptr if the file is not an index of this version.
ConnectionOwner try_open(Path const& file)
{
    if (file != in_memory) {
        // SQLite would create it for everybody to read.
        UniqueFd const created(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!created.is_open())
            return nullptr;
    }
    sqlite3* connection = nullptr;
    auto const opened
        = sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    ConnectionOwner owner(connection);
    if (opened != SQLITE_OK)
        return nullptr;
    auto statement = prepare(owner.get(), "PRAGMA user_version");
    if (statement.is_error())
        return nullptr;
    auto const version = read_numbers(owner.get(), statement->get());
    if (version.is_error() || version->size() != 1
        || (version->front() != 0 && version->front() != static_cast<std::uint64_t>(schema_version)))
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
    std::string sql = " WHERE type >= 0";
    std::vector<std::string> texts;

    void add(std::string const& condition, std::string text)
    {
        texts.push_back(std::move(text));
        auto const place = "?" + std::to_string(texts.size());
        std::string placed;
        for (char const c : condition)
            placed += c == '?' ? place : std::string(1, c);
        sql += " AND " + placed;
    }
    void add_number(std::string const& condition, std::uint64_t number) { sql += " AND " + condition + std::to_string(number); }
};

// What is compared is also said not to be empty: only then does SQLite see that a partial index will do.
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
        conditions.add("((workload = ? AND workload <> '') OR (name = ? AND name <> ''))", filter.workload);
    if (!filter.run.empty())
        conditions.add("run = ? AND run <> ''", filter.run);
    if (!filter.trace.empty())
        conditions.add("trace = ? AND trace <> ''", filter.trace);
    if (auto const colons = filter.resource.find("::"); colons != std::string::npos) {
        conditions.add("resource_type = ?", filter.resource.substr(0, colons));
        conditions.add("resource_id = ? AND resource_id <> ''", filter.resource.substr(colons + 2));
    } else if (!filter.resource.empty()) {
        conditions.add("resource_id = ? AND resource_id <> ''", filter.resource);
    }
    return conditions;
}

} // namespace

struct Index::State {
    Path file;
    ConnectionOwner connection;
    StatementOwner insert;
    bool is_damaged = false;

    static Result<> open(State& state);
    Error error()
    {
        auto error = sqlite_error(connection.get());
        is_damaged = is_damaged || error.code == ErrorCode::corruption;
        return error;
    }
    Result<> bind(std::uint64_t sequence, std::optional<Record> const& record);
    // Runs a query whose parameters `bind` sets.
    Result<std::vector<std::uint64_t>> numbers(std::string const& sql, std::function<void(sqlite3_stmt*)> const& bind);
};

Result<> Index::State::open(State& state)
{
    state.connection = try_open(state.file);
    if (!state.connection) {
        remove_files(state.file);
        state.connection = try_open(state.file);
    }
    if (!state.connection)
        return unavailable("audit index: `" + state.file.string() + "` cannot be written");
    state.insert = TRY(prepare(state.connection.get(), "INSERT OR REPLACE INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
    state.is_damaged = false;
    return {};
}

Result<> Index::State::bind(std::uint64_t sequence, std::optional<Record> const& record)
{
    static Record const none;
    auto const& values = record ? *record : none;
    auto* const statement = insert.get();
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    bind_value(statement, 1, sequence);
    bind_value(statement, 2, record ? static_cast<std::int64_t>(record->type) : no_type);
    if (values.allowed)
        bind_value(statement, 3, std::uint64_t(*values.allowed ? 1 : 0));
    bind_value(statement, 4, values.workload);
    bind_value(statement, 5, values.workload_name);
    bind_value(statement, 6, values.run);
    bind_value(statement, 7, values.resource ? values.resource->type : std::string());
    bind_value(statement, 8, values.resource ? values.resource->id : std::string());
    bind_value(statement, 9, values.trace);
    bind_value(statement, 10, values.credential ? values.credential->lease : std::string());
    if (sqlite3_step(statement) != SQLITE_DONE)
        return error();
    return {};
}

Result<std::vector<std::uint64_t>> Index::State::numbers(std::string const& sql, std::function<void(sqlite3_stmt*)> const& bind)
{
    if (!connection)
        TRY(open(*this));
    auto statement = prepare(connection.get(), sql);
    if (statement.is_error())
        return error();
    bind(statement->get());
    auto found = read_numbers(connection.get(), statement->get());
    return found.is_error() ? error() : std::move(found);
}

Index::Index(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}

Index::~Index() = default;

Result<std::unique_ptr<Index>> Index::open(Path file)
{
    auto state = std::make_unique<State>();
    state->file = std::move(file);
    TRY(State::open(*state));
    return std::unique_ptr<Index>(new Index(std::move(state))); // NOLINT: the constructor is private
}

bool Index::is_damaged() const { return state_->is_damaged; }

Result<> Index::clear()
{
    state_->insert.reset();
    state_->connection.reset();
    remove_files(state_->file);
    return State::open(*state_);
}

Result<std::uint64_t> Index::next()
{
    return TRY(state_->numbers("SELECT coalesce(max(sequence) + 1, 0) FROM records", [](sqlite3_stmt*) {})).front();
}

Result<> Index::add(std::uint64_t first, std::vector<std::optional<Record>> const& records)
{
    if (!state_->connection)
        TRY(State::open(*state_));
    auto* const connection = state_->connection.get();
    if (execute(connection, "BEGIN").is_error())
        return state_->error();
    Result<> added;
    for (std::size_t i = 0; i < records.size() && added.is_ok(); ++i)
        added = state_->bind(first + i, records[i]);
    sqlite3_reset(state_->insert.get());
    if (added.is_ok() && execute(connection, "COMMIT").is_error())
        added = state_->error();
    if (added.is_error())
        (void)execute(connection, "ROLLBACK").is_ok();
    return added;
}

Result<std::vector<std::uint64_t>> Index::find(RecordFilter const& filter)
{
    auto const conditions = conditions_of(filter);
    auto const limit = std::min(filter.limit, records_max);
    return state_->numbers("SELECT sequence FROM records" + conditions.sql + " ORDER BY sequence DESC LIMIT " + std::to_string(limit),
        [&](sqlite3_stmt* statement) {
            for (std::size_t i = 0; i < conditions.texts.size(); ++i)
                bind_value(statement, static_cast<int>(i) + 1, conditions.texts[i]);
        });
}

Result<std::vector<std::uint64_t>> Index::issuances_for(std::string const& type, std::string const& id, std::size_t limit)
{
    return state_->numbers("SELECT sequence FROM records WHERE resource_type = ?1 AND resource_id = ?2 AND resource_id <> '' AND type = 1 "
                           "ORDER BY sequence DESC LIMIT ?3",
        [&](sqlite3_stmt* statement) {
            bind_value(statement, 1, type);
            bind_value(statement, 2, id);
            bind_value(statement, 3, std::uint64_t(limit));
        });
}

Result<std::optional<std::uint64_t>> Index::revocation_of(std::string const& lease)
{
    auto const found
        = TRY(state_->numbers("SELECT sequence FROM records WHERE lease = ?1 AND lease <> '' AND type = 2 ORDER BY sequence LIMIT 1",
            [&](sqlite3_stmt* statement) { bind_value(statement, 1, lease); }));
    return found.empty() ? std::nullopt : std::optional(found.front());
}

} // namespace writ::audit
