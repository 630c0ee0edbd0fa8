// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/connection.h"

#include "issue/postgres_role/libpq.h"

namespace writ::issue {

namespace {

// LIMIT: a server that does not answer for so long is taken for dead.
constexpr Duration answer_deadline = std::chrono::seconds(15);

struct CloseConnection {
    void operator()(PGconn* connection) const { libpq().PQfinish(connection); }
};
struct ClearResult {
    void operator()(PGresult* result) const { libpq().PQclear(result); }
};
using ResultOwner = std::unique_ptr<PGresult, ClearResult>;

// libpq's messages have several lines.
std::string one_line(char const* message)
{
    std::string text;
    for (char const* c = message; c != nullptr && *c != '\0' && text.size() < 500; ++c)
        text += *c == '\n' || *c == '\t' ? ' ' : *c;
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

Error result_error(PGresult const* result)
{
    char const* const state = libpq().PQresultErrorField(result, PG_DIAG_SQLSTATE);
    std::string_view const code = state == nullptr ? "" : state;
    auto message = "postgres: " + one_line(libpq().PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    if (code == "42704" || code == "3F000" || code == "42P01" || code == "42703")
        return not_found(std::move(message));
    if (code == "22P02" || code == "22007" || code == "22008" || code == "42804" || code == "42883")
        return invalid_argument(std::move(message)); // a value that the column's type does not have
    if (code == "42710" || code == "23505")
        return conflict(std::move(message));
    if (code == "42501")
        return permission_denied(std::move(message));
    return unavailable(std::move(message));
}

std::string quote(std::string_view text, char mark)
{
    ASSERT(text.find('\0') == std::string_view::npos);
    std::string quoted(1, mark);
    for (char const c : text) {
        if (c == mark)
            quoted += mark;
        quoted += c;
    }
    return quoted + mark;
}

} // namespace

std::string quote_identifier(std::string_view text) { return quote(text, '"'); }

// A backslash is ordinary in '…' (standard_conforming_strings, on since 9.1, and set on each connection here).
std::string quote_literal(std::string_view text) { return quote(text, '\''); }

struct PostgresConnection::State {
    std::unique_ptr<PGconn, CloseConnection> connection;
    bool usable = false;

    net::Task<Result<>> finish_connecting();
    net::Task<Result<>> send(char const* sql);
    net::Task<Result<>> wait_for_result();
};

PostgresConnection::PostgresConnection(std::unique_ptr<State> state)
    : state_(std::move(state))
{
}

PostgresConnection::~PostgresConnection() = default;

bool PostgresConnection::is_usable() const { return state_->usable && libpq().PQstatus(state_->connection.get()) == CONNECTION_OK; }

net::Task<Result<>> PostgresConnection::State::finish_connecting()
{
    auto direction = PGRES_POLLING_WRITING;
    while (direction != PGRES_POLLING_OK) {
        auto const socket = libpq().PQsocket(connection.get());
        if (direction == PGRES_POLLING_FAILED || socket < 0)
            co_return unavailable("postgres: " + one_line(libpq().PQerrorMessage(connection.get())));
        Result<> ready;
        if (direction == PGRES_POLLING_READING)
            ready = co_await net::wait_readable(socket, answer_deadline);
        else
            ready = co_await net::wait_writable(socket, answer_deadline);
        if (ready.is_error())
            co_return unavailable("postgres: the server does not answer");
        direction = libpq().PQconnectPoll(connection.get());
    }
    if (libpq().PQsetnonblocking(connection.get(), 1) != 0)
        co_return unavailable("postgres: " + one_line(libpq().PQerrorMessage(connection.get())));
    usable = true;
    co_return Result<>();
}

net::Task<Result<std::unique_ptr<PostgresConnection>>> PostgresConnection::connect(PostgresLogin login)
{
    auto const loaded = load_libpq();
    if (loaded.is_error())
        co_return loaded.error();
    auto const port = std::to_string(login.port);
    // Everything that an environment variable or a file of ours could say otherwise is said here.
    char const* const names[] = { "host", "port", "dbname", "user", "password", "passfile", "application_name", "gssencmode", "target_session_attrs", "options", "client_encoding", nullptr };
    char const* const values[] = { login.host.c_str(), port.c_str(), login.database.c_str(), login.user.c_str(), login.password.reveal().c_str(), "/dev/null", "writ", "disable", "read-write",
        "-c statement_timeout=10s -c lock_timeout=5s -c idle_in_transaction_session_timeout=30s -c standard_conforming_strings=on -c search_path=pg_catalog", "UTF8", nullptr };
    auto state = std::make_unique<State>();
    state->connection.reset(libpq().PQconnectStartParams(names, values, 0));
    if (!state->connection || libpq().PQstatus(state->connection.get()) == CONNECTION_BAD)
        co_return unavailable("postgres: " + (state->connection ? one_line(libpq().PQerrorMessage(state->connection.get())) : std::string("out of memory")));
    libpq().PQsetNoticeProcessor(state->connection.get(), [](void*, char const*) {}, nullptr);
    auto const connected = co_await state->finish_connecting();
    if (connected.is_error())
        co_return connected.error();
    co_return std::unique_ptr<PostgresConnection>(new PostgresConnection(std::move(state))); // NOLINT: the constructor is private
}

net::Task<Result<>> PostgresConnection::State::send(char const* sql)
{
    if (libpq().PQsendQuery(connection.get(), sql) != 1)
        co_return unavailable("postgres: " + one_line(libpq().PQerrorMessage(connection.get())));
    for (auto unsent = libpq().PQflush(connection.get()); unsent != 0; unsent = libpq().PQflush(connection.get())) {
        if (unsent < 0)
            co_return unavailable("postgres: " + one_line(libpq().PQerrorMessage(connection.get())));
        auto const ready = co_await net::wait_writable(libpq().PQsocket(connection.get()), answer_deadline);
        if (ready.is_error())
            co_return unavailable("postgres: the server does not read");
    }
    co_return Result<>();
}

net::Task<Result<>> PostgresConnection::State::wait_for_result()
{
    while (libpq().PQisBusy(connection.get()) == 1) {
        auto const ready = co_await net::wait_readable(libpq().PQsocket(connection.get()), answer_deadline);
        if (ready.is_error())
            co_return unavailable("postgres: the server does not answer");
        if (libpq().PQconsumeInput(connection.get()) != 1)
            co_return unavailable("postgres: " + one_line(libpq().PQerrorMessage(connection.get())));
    }
    co_return Result<>();
}

net::Task<Result<std::vector<PostgresConnection::Row>>> PostgresConnection::query(std::string sql) { return query(SecretText(std::move(sql))); }

net::Task<Result<std::vector<PostgresConnection::Row>>> PostgresConnection::query(SecretText sql)
{
    auto& state = *state_;
    state.usable = false; // until all of the answer is read
    auto const sent = co_await state.send(sql.reveal().c_str());
    if (sent.is_error())
        co_return sent.error();
    std::vector<Row> rows;
    std::optional<Error> failed;
    for (;;) {
        auto const ready = co_await state.wait_for_result();
        if (ready.is_error())
            co_return ready.error();
        ResultOwner const result(libpq().PQgetResult(state.connection.get()));
        if (!result)
            break;
        auto const status = libpq().PQresultStatus(result.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
            failed = result_error(result.get());
            continue;
        }
        rows.clear();
        for (int row = 0; row < libpq().PQntuples(result.get()); ++row) {
            auto& columns = rows.emplace_back();
            for (int column = 0; column < libpq().PQnfields(result.get()); ++column)
                columns.emplace_back(libpq().PQgetvalue(result.get(), row, column));
        }
    }
    if (failed && libpq().PQtransactionStatus(state.connection.get()) != PQTRANS_IDLE)
        co_return *failed; // an open transaction: not to be used again
    state.usable = true;
    if (failed)
        co_return *failed;
    co_return rows;
}

Result<SecretText> PostgresConnection::scram_verifier(SecretText const& password, std::string const& user) const
{
    std::unique_ptr<char, void (*)(void*)> const verifier(
        libpq().PQencryptPasswordConn(state_->connection.get(), password.reveal().c_str(), user.c_str(), "scram-sha-256"), libpq().PQfreemem);
    if (!verifier)
        return unavailable("postgres: " + one_line(libpq().PQerrorMessage(state_->connection.get())));
    return SecretText(std::string(verifier.get()));
}

} // namespace writ::issue
