// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/postgres_role.h"

#include "base/durable_file.h"
#include "base/logger.h"
#include "issue/postgres_role/connection.h"
#include "net/notification.h"

namespace writ::issue {

namespace {

// LIMIT: how long a request waits for one of the connections to a database.
constexpr Duration connection_wait = std::chrono::seconds(10);
constexpr std::size_t password_characters = 40; // 200 bits
constexpr std::size_t name_characters = 16;     // 80 bits; names are not secret, only unique
constexpr int session_rounds = 5;

struct Target {
    PostgresLogin login;
    std::string password_file;
    std::string schema, table;
    std::string privileges; // `SELECT`
};

Result<std::string> privileges_of(std::string_view action)
{
    if (action == "read" || action == "train" || action == "evaluate")
        return std::string("SELECT");
    if (action == "write")
        return std::string("SELECT, INSERT, UPDATE, DELETE");
    return permission_denied("a PostgreSQL role cannot serve action `" + std::string(action) + "`");
}

Result<Target> parse_target(std::string_view text)
{
    auto const object = TRY(parse_json_object(text));
    Target target;
    target.login.host = TRY(string_member(object, "host"));
    target.login.port = static_cast<std::uint16_t>(TRY(integer_member(object, "port")));
    target.login.database = TRY(string_member(object, "database"));
    target.login.user = TRY(string_member(object, "user"));
    target.password_file = TRY(string_member(object, "password_file"));
    target.schema = TRY(string_member(object, "schema"));
    target.table = TRY(string_member(object, "table"));
    target.privileges = TRY(string_member(object, "privileges"));
    return target;
}

Result<SecretText> read_password(std::string const& path)
{
    if (path.empty())
        return SecretText();
    auto bytes = TRY(read_file(path, 4096).in("the database's password"));
    auto text = to_text(bytes);
    wipe(bytes.data(), bytes.size());
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.pop_back();
    return SecretText(std::move(text));
}

// SPEC: PostgreSQL 15, 34.16 The Password File: `:` and `\` in a field are escaped with `\`.
std::string pgpass_field(std::string_view text)
{
    std::string field;
    for (char const c : text) {
        if (c == ':' || c == '\\')
            field += '\\';
        field += c;
    }
    return field;
}

// The connections to one database under one login.
struct Connections {
    std::vector<std::unique_ptr<PostgresConnection>> idle;
    std::size_t open = 0;
    net::Notification freed;
};

class PostgresRoleIssuer final : public RevocableIssuer {
public:
    PostgresRoleIssuer(RandomSource& random, PostgresRoleLimits limits)
        : random_(random)
        , limits_(limits)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override;
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override;
    net::Task<Result<>> prolong(std::string target, std::string name, Timestamp expires) override;
    net::Task<Result<>> revoke(std::string target, std::string name) override;

private:
    // A connection that goes back, or is closed, at the end of its use.
    class Borrowed {
    public:
        Borrowed(std::shared_ptr<Connections> home, std::unique_ptr<PostgresConnection> connection)
            : home_(std::move(home))
            , connection_(std::move(connection))
        {
        }
        Borrowed(Borrowed&&) noexcept = default;
        Borrowed& operator=(Borrowed&&) noexcept = delete;
        Borrowed(Borrowed const&) = delete;
        Borrowed& operator=(Borrowed const&) = delete;
        ~Borrowed()
        {
            if (!home_)
                return;
            if (connection_ && connection_->is_usable())
                home_->idle.push_back(std::move(connection_));
            else
                --home_->open;
            home_->freed.notify();
        }
        PostgresConnection* operator->() const { return connection_.get(); }

    private:
        std::shared_ptr<Connections> home_;
        std::unique_ptr<PostgresConnection> connection_;
    };

    net::Task<Result<Borrowed>> borrow(Target const& target);
    net::Task<Result<>> end_sessions(Borrowed const& connection, std::string const& role);
    net::Task<Result<>> drop_owned_elsewhere(Borrowed const& connection, Target const& target, std::string const& role);
    net::Task<Result<>> check_absent(Borrowed const& connection, std::string const& role);

    RandomSource& random_;
    PostgresRoleLimits limits_;
    std::map<std::string, std::shared_ptr<Connections>> connections_;
};

Result<CredentialPlan> PostgresRoleIssuer::plan(JsonObject const& provider, std::span<Access const> accesses)
{
    if (accesses.size() != 1)
        return invalid_argument("a PostgreSQL role is for one table");
    auto const& [action, resource] = accesses.front();
    auto const privileges = TRY(privileges_of(action));
    auto const schema = std::string(TRY(string_member(resource, "schema")));
    auto const table = std::string(TRY(string_member(resource, "table")));
    JsonObject target = provider;
    target["schema"] = schema;
    target["table"] = table;
    target["privileges"] = privileges;
    auto text = to_text(JsonValue(target));
    TRY(parse_target(text));
    return CredentialPlan { "postgres_role", "writ_" + random_.base32(name_characters), privileges + " on " + schema + "." + table, std::move(text) };
}

net::Task<Result<PostgresRoleIssuer::Borrowed>> PostgresRoleIssuer::borrow(Target const& target)
{
    auto const& login = target.login;
    auto const key = login.host + '\n' + std::to_string(login.port) + '\n' + login.database + '\n' + login.user;
    auto& kept = connections_[key];
    if (!kept)
        kept = std::make_shared<Connections>();
    auto const home = kept;
    while (home->idle.empty() && home->open >= limits_.connections_max) {
        auto const seen = home->freed.version();
        auto const freed = co_await home->freed.wait_past(seen, connection_wait);
        if (!freed)
            co_return unavailable("all connections to database `" + login.database + "` are busy");
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
    auto password = read_password(target.password_file);
    auto secret = CO_TRY(password);
    auto connected = co_await PostgresConnection::connect({ login.host, login.port, login.database, login.user, std::move(secret) });
    auto connection = CO_TRY(connected);
    ++home->open;
    co_return Borrowed(home, std::move(connection));
}

net::Task<Result<Credential>> PostgresRoleIssuer::create(CredentialPlan plan, Recipient recipient)
{
    auto parsed = parse_target(plan.target);
    auto const target = CO_TRY(parsed);
    auto borrowed = co_await borrow(target);
    auto const connection = CO_TRY(borrowed);

    SecretText const password(random_.base32(password_characters));
    auto verifier = connection->scram_verifier(password, plan.name);
    auto const secret = CO_TRY(verifier);
    auto const role = quote_identifier(plan.name);
    auto const& login = target.login;
    // One transaction: the role is there with its rights, or not at all. COMMIT is sent once the rest is done: what a server executes after we gave it up, be it
    // delayed by a network, is never committed.
    SecretText statement("BEGIN; CREATE ROLE " + role + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT "
        + std::to_string(limits_.role_connections_max) + " PASSWORD " + quote_literal(secret.reveal()) + " VALID UNTIL " + quote_literal(to_rfc3339(recipient.expires)) + "; GRANT CONNECT ON DATABASE "
        + quote_identifier(login.database) + " TO " + role + "; GRANT USAGE ON SCHEMA " + quote_identifier(target.schema) + " TO " + role + "; GRANT " + target.privileges + " ON "
        + quote_identifier(target.schema) + "." + quote_identifier(target.table) + " TO " + role);
    auto created = co_await connection->query(std::move(statement));
    if (created.is_ok())
        created = co_await connection->query("COMMIT");
    if (created.is_error())
        co_return std::move(created).error().in("create role");

    Credential credential;
    auto const port = std::to_string(login.port);
    credential.environment = { { "PGHOST", login.host }, { "PGPORT", port }, { "PGUSER", plan.name }, { "PGDATABASE", login.database } };
    SecretText line(pgpass_field(login.host) + ":" + port + ":" + pgpass_field(login.database) + ":" + plan.name + ":" + password.reveal() + "\n");
    credential.files.push_back({ "pgpass", "PGPASSFILE", std::move(line) });
    co_return credential;
}

net::Task<Result<>> PostgresRoleIssuer::prolong(std::string target_text, std::string name, Timestamp expires)
{
    auto parsed = parse_target(target_text);
    auto const target = CO_TRY(parsed);
    auto borrowed = co_await borrow(target);
    auto const connection = CO_TRY(borrowed);
    auto const altered = co_await connection->query("ALTER ROLE " + quote_identifier(name) + " VALID UNTIL " + quote_literal(to_rfc3339(expires)));
    if (altered.is_error())
        co_return altered.error();
    co_return Result<>();
}

// A session that was being opened while its role lost its login is not listed yet: look until there is none.
net::Task<Result<>> PostgresRoleIssuer::end_sessions(Borrowed const& connection, std::string const& role)
{
    auto const list = "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity WHERE usename = " + quote_literal(role);
    for (int round = 0; round < session_rounds; ++round) {
        auto ended = co_await connection->query(list);
        auto const sessions = CO_TRY(ended);
        if (sessions.empty())
            co_return Result<>();
    }
    co_return unavailable("sessions of role `" + role + "` do not end");
}

// What a role made in other databases of the server, where everybody may connect. Otherwise a job could keep its role from being dropped.
net::Task<Result<>> PostgresRoleIssuer::drop_owned_elsewhere(Borrowed const& connection, Target const& target, std::string const& role)
{
    auto const& login = target.login;
    auto listed = co_await connection->query("SELECT DISTINCT datname FROM pg_shdepend JOIN pg_database ON pg_database.oid = dbid JOIN pg_roles ON pg_roles.oid = refobjid"
                                             " WHERE refclassid = 'pg_authid'::regclass AND datname <> current_database() AND rolname = "
        + quote_literal(role));
    for (auto const& row : CO_TRY(listed)) {
        auto password = read_password(target.password_file);
        auto secret = CO_TRY(password);
        auto connected = co_await PostgresConnection::connect({ login.host, login.port, row.front(), login.user, std::move(secret) });
        auto const there = CO_TRY(connected);
        auto const dropped = co_await there->query("DROP OWNED BY " + quote_identifier(role));
        if (dropped.is_error())
            co_return dropped.error();
    }
    co_return Result<>();
}

// A role that is not seen may be one that is not committed yet: making one of the same name waits for it, or fails.
net::Task<Result<>> PostgresRoleIssuer::check_absent(Borrowed const& connection, std::string const& role)
{
    auto const name = quote_identifier(role);
    auto const made = co_await connection->query("CREATE ROLE " + name + " NOLOGIN; DROP ROLE " + name);
    if (made.is_error())
        co_return unavailable("role `" + role + "` may still come to be: " + made.error().message);
    co_return Result<>();
}

net::Task<Result<>> PostgresRoleIssuer::revoke(std::string target_text, std::string name)
{
    auto parsed = parse_target(target_text);
    auto const target = CO_TRY(parsed);
    auto borrowed = co_await borrow(target);
    auto const connection = CO_TRY(borrowed);
    auto const role = quote_identifier(name);
    // First nobody can log in any more, then who is logged in goes, then what the role has and is. The membership lets us end its sessions and drop what it made.
    auto const locked = co_await connection->query("ALTER ROLE " + role + " NOLOGIN PASSWORD NULL; GRANT " + role + " TO CURRENT_USER");
    if (locked.is_error() && locked.error().code == ErrorCode::not_found)
        co_return co_await check_absent(connection, name);
    if (locked.is_error())
        co_return locked.error();
    auto const ended = co_await end_sessions(connection, name);
    if (ended.is_error())
        co_return ended.error();
    auto const elsewhere = co_await drop_owned_elsewhere(connection, target, name);
    if (elsewhere.is_error())
        co_return elsewhere.error();
    auto const dropped = co_await connection->query("DROP OWNED BY " + role + "; DROP ROLE " + role);
    if (dropped.is_error())
        co_return dropped.error();
    co_return Result<>();
}

} // namespace

std::unique_ptr<CredentialIssuer> create_postgres_role_issuer(RandomSource& random, PostgresRoleLimits limits)
{
    return std::make_unique<PostgresRoleIssuer>(random, limits);
}

} // namespace writ::issue
