// SPDX-License-Identifier: Apache-2.0
#include "audit/index_file.h"

#include "base/unique_fd.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace writ::audit {

namespace {

constexpr int schema_version = 7;
constexpr char const* in_memory = ":memory:";
// LIMIT: how long a reader waits for another process's commit.
constexpr int busy_milliseconds = 2000;

// A rollback journal, so that another process can read the file without writing beside it: there is one commit for tens of thousands of records.
constexpr char const* schema = R"sql(
PRAGMA journal_mode=DELETE; PRAGMA synchronous=NORMAL; PRAGMA trusted_schema=OFF;
CREATE TABLE IF NOT EXISTS pages (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS signatures (id INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT;
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

Result<StatementOwner> prepare(sqlite3* connection, char const* sql)
{
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr) != SQLITE_OK)
        return sqlite_error(connection);
    return StatementOwner(statement);
}

// Of a query with one row and column.
Result<std::int64_t> read_number(sqlite3* connection, char const* sql)
{
    auto const statement = TRY(prepare(connection, sql));
    if (sqlite3_step(statement.get()) != SQLITE_ROW)
        return sqlite_error(connection);
    return sqlite3_column_int64(statement.get(), 0);
}

std::int64_t id_of(std::uint32_t segment, std::uint32_t page) { return static_cast<std::int64_t>(segment) * segment_pages + page; }

Result<ConnectionOwner> connect(Path const& file, int flags)
{
    sqlite3* connection = nullptr;
    auto const opened = sqlite3_open_v2(file.c_str(), &connection, flags | SQLITE_OPEN_NOMUTEX, nullptr);
    ConnectionOwner owner(connection);
    if (opened != SQLITE_OK)
        return unavailable("audit index: `" + file.string() + "` cannot be opened");
    sqlite3_busy_timeout(owner.get(), busy_milliseconds);
    return owner;
}

Result<ConnectionOwner> connect_for_writing(Path const& file)
{
    if (file != in_memory) {
        // SQLite would create it for everybody to read.
        UniqueFd const created(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!created.is_open())
            return errno_error("open `" + file.string() + "`", errno);
    }
    auto connection = TRY(connect(file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
    auto const version = TRY(read_number(connection.get(), "PRAGMA user_version"));
    if (version != 0 && version != schema_version)
        return corruption("audit index: of another version");
    if (version == 0)
        TRY(execute(connection.get(), ("PRAGMA user_version=" + std::to_string(schema_version)).c_str()));
    TRY(execute(connection.get(), schema));
    return connection;
}

} // namespace

void remove_index_files(Path const& file)
{
    std::error_code error;
    for (auto const* ending : { "", "-wal", "-shm", "-journal" })
        std::filesystem::remove(file.string() + ending, error);
}

struct IndexFile::State {
    Path file;
    ConnectionOwner connection;
    StatementOwner insert, select, insert_signature, select_signature, first_page;
    std::uint32_t segments = 0;
    bool is_bulk = false;
    bool is_damaged = false;

    Error error()
    {
        auto error = sqlite_error(connection.get());
        is_damaged = is_damaged || error.code == ErrorCode::corruption;
        return error;
    }
    Result<> prepare_statements()
    {
        insert = TRY(prepare(connection.get(), "INSERT INTO pages VALUES (?1, ?2)"));
        select = TRY(prepare(connection.get(), "SELECT data FROM pages WHERE id = ?1"));
        insert_signature = TRY(prepare(connection.get(), "INSERT INTO signatures VALUES (?1, ?2)"));
        select_signature = TRY(prepare(connection.get(), "SELECT data FROM signatures WHERE id = ?1"));
        first_page = TRY(prepare(connection.get(), "SELECT id FROM pages WHERE id % ?1 <> ?2 ORDER BY id LIMIT 1"));
        auto const count = TRY(read_number(connection.get(), "SELECT coalesce(max(id), -1) FROM pages"));
        segments = static_cast<std::uint32_t>((count + segment_pages) / segment_pages);
        return {};
    }
    Result<> put(sqlite3_stmt* into, std::int64_t id, BytesView bytes)
    {
        sqlite3_reset(into);
        sqlite3_bind_int64(into, 1, id);
        sqlite3_bind_blob64(into, 2, bytes.data(), bytes.size(), SQLITE_STATIC);
        auto const step = sqlite3_step(into);
        auto const failed = step != SQLITE_DONE ? std::optional(error()) : std::nullopt;
        sqlite3_reset(into);
        sqlite3_clear_bindings(into);
        if (failed)
            return *failed;
        return {};
    }
    Result<> put_all(std::vector<SegmentPage> const& pages, std::vector<Signature> const& signatures)
    {
        for (auto const& page : pages)
            TRY(put(insert.get(), id_of(segments, page.number), page.bytes));
        for (auto const& signature : signatures)
            TRY(put(insert_signature.get(), static_cast<std::int64_t>(signature.number), signature.bytes));
        return {};
    }
    Result<bool> get(sqlite3_stmt* from, std::int64_t id, std::function<Result<>(BytesView)> const& take);
};

IndexFile::IndexFile(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}
IndexFile::~IndexFile() = default;
IndexFile::IndexFile(IndexFile&&) noexcept = default;
IndexFile& IndexFile::operator=(IndexFile&&) noexcept = default;

Result<IndexFile> IndexFile::open(Path file)
{
    auto state = std::make_unique<State>();
    state->file = std::move(file);
    auto connection = connect_for_writing(state->file);
    if (connection.is_error()) {
        remove_index_files(state->file);
        connection = connect_for_writing(state->file);
    }
    if (connection.is_error())
        return unavailable("audit index: `" + state->file.string() + "` cannot be written: " + connection.error().message);
    state->connection = std::move(connection).value();
    TRY(state->prepare_statements());
    return IndexFile(std::move(state));
}

Result<IndexFile> IndexFile::open_read_only(Path const& file)
{
    if (!std::filesystem::exists(file))
        return not_found("audit index: no `" + file.string() + "`");
    auto state = std::make_unique<State>();
    state->file = file;
    state->connection = TRY(connect(file, SQLITE_OPEN_READONLY));
    if (TRY(read_number(state->connection.get(), "PRAGMA user_version")) != schema_version)
        return corruption("audit index: of another version");
    TRY(state->prepare_statements());
    return IndexFile(std::move(state));
}

std::uint32_t IndexFile::segments() const { return state_->segments; }
bool IndexFile::is_damaged() const { return state_->is_damaged; }

Result<> IndexFile::add(std::vector<SegmentPage> const& pages, std::vector<Signature> const& signatures)
{
    auto* const connection = state_->connection.get();
    if (!state_->is_bulk && execute(connection, "BEGIN IMMEDIATE").is_error())
        return state_->error();
    auto added = state_->put_all(pages, signatures);
    if (!state_->is_bulk && added.is_ok() && execute(connection, "COMMIT").is_error())
        added = state_->error();
    if (!state_->is_bulk && added.is_error())
        (void)execute(connection, "ROLLBACK").is_ok();
    if (added.is_ok())
        ++state_->segments;
    return added;
}

Result<bool> IndexFile::State::get(sqlite3_stmt* from, std::int64_t id, std::function<Result<>(BytesView)> const& take)
{
    sqlite3_bind_int64(from, 1, id);
    auto const step = sqlite3_step(from);
    if (step != SQLITE_ROW) {
        auto const failed = step != SQLITE_DONE ? std::optional(error()) : std::nullopt;
        sqlite3_reset(from);
        if (failed)
            return *failed;
        return false;
    }
    auto const* const bytes = static_cast<std::uint8_t const*>(sqlite3_column_blob(from, 0));
    auto const size = static_cast<std::size_t>(sqlite3_column_bytes(from, 0));
    auto const taken = take(BytesView(bytes, size));
    sqlite3_reset(from);
    if (taken.is_error()) {
        is_damaged = is_damaged || taken.error().code == ErrorCode::corruption;
        return taken.error();
    }
    return true;
}

Result<bool> IndexFile::read(std::uint32_t segment, std::uint32_t page, std::function<Result<>(BytesView)> const& take) const
{
    return state_->get(state_->select.get(), id_of(segment, page), take);
}

Result<bool> IndexFile::read_signature(std::uint64_t number, std::function<Result<>(BytesView)> const& take) const
{
    return state_->get(state_->select_signature.get(), static_cast<std::int64_t>(number), take);
}

Result<> IndexFile::forget(std::uint32_t end)
{
    auto const limit = std::to_string(id_of(end, 0)), width = std::to_string(segment_pages), head = std::to_string(head_page);
    auto const signatures = std::to_string(first_signature_number(end));
    auto const statement = "BEGIN IMMEDIATE; DELETE FROM pages WHERE id < " + limit + " AND id % " + width + " <> " + head
        + "; DELETE FROM signatures WHERE id < " + signatures + "; COMMIT";
    if (execute(state_->connection.get(), statement.c_str()).is_ok())
        return {};
    auto const error = state_->error();
    if (sqlite3_get_autocommit(state_->connection.get()) == 0)
        (void)execute(state_->connection.get(), "ROLLBACK").is_ok();
    return error;
}

Result<std::uint32_t> IndexFile::forgotten() const
{
    auto* const statement = state_->first_page.get();
    sqlite3_bind_int(statement, 1, segment_pages);
    sqlite3_bind_int(statement, 2, head_page);
    auto const step = sqlite3_step(statement);
    auto const id = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : id_of(state_->segments, 0);
    auto const failed = step != SQLITE_ROW && step != SQLITE_DONE ? std::optional(state_->error()) : std::nullopt;
    sqlite3_reset(statement);
    if (failed)
        return *failed;
    return static_cast<std::uint32_t>(id / segment_pages);
}

// Where it cannot begin each read goes by itself.
IndexFile::Reading::Reading(IndexFile const& file)
    : state_(sqlite3_get_autocommit(file.state_->connection.get()) != 0 ? file.state_.get() : nullptr)
{
    if (state_ != nullptr && execute(state_->connection.get(), "BEGIN").is_error())
        state_ = nullptr;
}

IndexFile::Reading::~Reading()
{
    if (state_ != nullptr)
        (void)execute(state_->connection.get(), "COMMIT").is_ok();
}

Result<> IndexFile::begin_bulk()
{
    state_->is_bulk = true;
    return execute(state_->connection.get(), "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN");
}

Result<> IndexFile::finish_bulk()
{
    state_->is_bulk = false;
    TRY(execute(state_->connection.get(), "COMMIT; PRAGMA journal_mode=DELETE; PRAGMA synchronous=NORMAL"));
    if (state_->file == in_memory)
        return {};
    UniqueFd const written(::open(state_->file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!written.is_open() || ::fsync(written.get()) != 0)
        return errno_error("sync `" + state_->file.string() + "`", errno);
    return {};
}

} // namespace writ::audit
