// SPDX-License-Identifier: Apache-2.0
#include "issue/postgres_role/postgres_role.h"

#include "base/logger.h"
#include "issue/postgres_role/connection_pool.h"
#include "issue/postgres_role/grant_sql.h"
#include "issue/postgres_role/owned_objects.h"
#include "issue/postgres_role/template_role.h"

namespace writ::issue {

namespace {

constexpr std::size_t password_characters = 40; // 200 bits
constexpr std::size_t name_characters = 16;     // 80 bits; names are not secret, only unique
constexpr int session_rounds = 5;

struct Target {
    PostgresAccount account;
    std::string owner; // of what a run leaves behind; empty: nobody
    std::string service; // the data set's name; empty: of a plan of before there were any
};

Result<Target> parse_target(std::string_view text)
{
    auto const object = TRY(parse_json_object(text));
    Target target;
    auto& account = target.account;
    account.host = TRY(string_member(object, "host"));
    account.port = static_cast<std::uint16_t>(TRY(integer_member(object, "port")));
    account.database = TRY(string_member(object, "database"));
    account.user = TRY(string_member(object, "user"));
    account.password_file = TRY(string_member(object, "password_file"));
    target.owner = string_or(object, "owner", "");
    target.service = string_or(object, "service", "");
    TRY(check_identifier("a database", account.database));
    TRY(check_identifier("a login", account.user));
    if (!target.owner.empty())
        TRY(check_identifier("an owner", target.owner));
    return target;
}

// What was planned, for create() alone.
Result<RoleGrants> parse_grants(std::string_view target)
{
    auto const object = TRY(parse_json_object(target));
    auto const* const resource = TRY(object_member(object, "resource"));
    return parse_role_grants(TRY(string_member(object, "action")), *resource);
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

// SPEC: PostgreSQL 15, 34.17 The Connection Service File: a section for each service; values are not escaped, and end with their line.
std::string service_section(Target const& target, std::string const& role)
{
    auto const& account = target.account;
    auto const section = "[" + target.service + "]\nhost=" + account.host + "\nport=" + std::to_string(account.port) + "\ndbname=" + account.database + "\nuser=" + role + "\n";
    bool const is_plain = (target.service + account.host + account.database).find('\n') == std::string::npos && target.service.find(']') == std::string::npos;
    return !target.service.empty() && is_plain ? section : "";
}

using Borrowed = PostgresConnectionPool::Borrowed;

class PostgresRoleIssuer final : public RevocableIssuer {
public:
    PostgresRoleIssuer(RandomSource& random, PostgresRoleLimits limits)
        : random_(random)
        , limits_(limits)
        , pool_(limits.connections_max)
    {
    }

    Result<CredentialPlan> plan(JsonObject const& provider, std::span<Access const> accesses) override;
    net::Task<Result<Credential>> create(CredentialPlan plan, Recipient recipient) override;
    net::Task<Result<>> prolong(std::string target, std::string name, Timestamp expires) override;
    net::Task<Result<>> revoke(std::string target, std::string name) override;

private:
    [[nodiscard]] std::string create_statement(std::string const& role, SecretText const& verifier, Timestamp expires) const;
    net::Task<Result<>> grant(Borrowed const& connection, Target const& target, RoleGrants const& grants, std::string const& role);
    net::Task<Result<>> end_sessions(Borrowed const& connection, std::string const& role);
    net::Task<Result<>> drop_owned_elsewhere(Borrowed const& connection, Target const& target, std::string const& role);
    net::Task<Result<>> hand_over(PostgresConnection& connection, Target const& target, std::string const& role);
    net::Task<Result<>> check_absent(Borrowed const& connection, std::string const& role);

    RandomSource& random_;
    PostgresRoleLimits limits_;
    PostgresConnectionPool pool_;
};

Result<CredentialPlan> PostgresRoleIssuer::plan(JsonObject const& provider, std::span<Access const> accesses)
{
    if (accesses.size() != 1)
        return invalid_argument("a PostgreSQL role is for one data set");
    auto const& [action, resource] = accesses.front();
    auto const grants = TRY(parse_role_grants(action, resource));
    JsonObject target = provider;
    target["action"] = action;
    target["resource"] = resource;
    auto text = to_text(target);
    TRY(parse_target(text));
    return CredentialPlan { "postgres_role", "writ_" + random_.base32(name_characters), words_of(grants), std::move(text) };
}

std::string PostgresRoleIssuer::create_statement(std::string const& role, SecretText const& verifier, Timestamp expires) const
{
    return "CREATE ROLE " + quote_identifier(role) + " LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS CONNECTION LIMIT "
        + std::to_string(limits_.role_connections_max) + " PASSWORD " + quote_literal(verifier.reveal()) + " VALID UNTIL " + quote_literal(to_rfc3339(expires));
}

// The rest of a role that is being made: what a template has, and that nothing is open which should not be.
net::Task<Result<>> PostgresRoleIssuer::grant(Borrowed const& connection, Target const& target, RoleGrants const& grants, std::string const& role)
{
    if (!grants.template_role.empty()) {
        auto listed = co_await connection->query(template_query(grants.template_role, role));
        auto const rows = CO_TRY(listed);
        if (rows.empty() || rows.size() > template_grants_max)
            co_return unavailable("template `" + grants.template_role + "` was granted nothing in database `" + target.account.database + "`, or too much");
        std::string statements;
        for (auto const& row : rows)
            statements += row.front() + "; ";
        auto const granted = co_await connection->query(std::move(statements));
        if (granted.is_error())
            co_return granted.error();
    }
    auto opened = co_await connection->query(exposure_query(grants, role));
    if (auto const rows = CO_TRY(opened); !rows.empty())
        co_return permission_denied("everybody may use table " + rows.front().front() + ", of which only a part is to be given: revoke that from PUBLIC");
    if (target.owner.empty())
        co_return Result<>();
    auto asked = co_await connection->query("SELECT 1 WHERE pg_has_role(" + quote_literal(target.owner) + ", 'MEMBER')");
    if (auto const rows = CO_TRY(asked); rows.empty())
        co_return permission_denied("login `" + target.account.user + "` is no member of `" + target.owner + "`, which is to own what a run leaves behind");
    // Where the run may make tables, its owner has to be able to have them.
    auto closed = co_await connection->query("SELECT nspname FROM pg_namespace WHERE has_schema_privilege(" + quote_literal(role) + ", oid, 'CREATE') AND NOT has_schema_privilege("
        + quote_literal(target.owner) + ", oid, 'CREATE') ORDER BY 1");
    if (auto const rows = CO_TRY(closed); !rows.empty())
        co_return permission_denied("`" + target.owner + "`, which is to own what a run leaves behind, lacks CREATE on schema `" + rows.front().front() + "`");
    co_return Result<>();
}

net::Task<Result<Credential>> PostgresRoleIssuer::create(CredentialPlan plan, Recipient recipient)
{
    auto parsed = parse_target(plan.target);
    auto const target = CO_TRY(parsed);
    auto planned = parse_grants(plan.target);
    auto const grants = CO_TRY(planned);
    auto const& account = target.account;
    auto borrowed = co_await pool_.borrow(account);
    auto const connection = CO_TRY(borrowed);

    SecretText const password(random_.base32(password_characters));
    auto verifier = connection->scram_verifier(password, plan.name);
    auto const secret = CO_TRY(verifier);
    // One transaction: the role is there with its rights, or not at all. COMMIT is sent once the rest is done: what a server executes after we gave it up, be it
    // delayed by a network, is never committed.
    SecretText statement("BEGIN; " + create_statement(plan.name, secret, recipient.expires) + grant_statements(grants, plan.name, account.database, recipient));
    auto created = co_await connection->query(std::move(statement));
    if (created.is_error())
        co_return std::move(created).error().in("create role");
    auto granted = co_await grant(connection, target, grants, plan.name);
    auto const ended = co_await connection->query(granted.is_ok() ? "COMMIT" : "ROLLBACK");
    if (granted.is_error() || ended.is_error())
        co_return Error(granted.is_error() ? granted.error() : ended.error()).in("create role");

    Credential credential;
    auto const port = std::to_string(account.port);
    credential.environment = { { "PGHOST", account.host }, { "PGPORT", port }, { "PGUSER", plan.name }, { "PGDATABASE", account.database } };
    SecretText line(pgpass_field(account.host) + ":" + port + ":" + pgpass_field(account.database) + ":" + plan.name + ":" + password.reveal() + "\n");
    credential.files.push_back({ "pgpass", "PGPASSFILE", std::move(line) });
    credential.files.push_back({ "pg_service.conf", "PGSERVICEFILE", SecretText(service_section(target, plan.name)) });
    co_return credential;
}

net::Task<Result<>> PostgresRoleIssuer::prolong(std::string target_text, std::string name, Timestamp expires)
{
    auto parsed = parse_target(target_text);
    auto const target = CO_TRY(parsed);
    auto borrowed = co_await pool_.borrow(target.account);
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
    auto listed = co_await connection->query("SELECT DISTINCT datname FROM pg_shdepend JOIN pg_database ON pg_database.oid = dbid JOIN pg_roles ON pg_roles.oid = refobjid"
                                             " WHERE refclassid = 'pg_authid'::regclass AND datname <> current_database() AND rolname = "
        + quote_literal(role));
    for (auto const& row : CO_TRY(listed)) {
        auto account = target.account;
        account.database = row.front();
        auto connected = co_await PostgresConnectionPool::connect(std::move(account));
        auto const there = CO_TRY(connected);
        auto const dropped = co_await drop_owned(*there, role);
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

net::Task<Result<>> PostgresRoleIssuer::hand_over(PostgresConnection& connection, Target const& target, std::string const& role)
{
    auto handed = co_await hand_over_tables(connection, role, target.owner);
    for (auto const& table : CO_TRY(handed))
        log_warning("a table of a run went to the login, since its owner may not have it: the owner needs CREATE on the schema, and the login to be a member of it",
            { { "table", table }, { "owner", target.owner }, { "login", target.account.user }, { "role", role } });
    co_return Result<>();
}

net::Task<Result<>> PostgresRoleIssuer::revoke(std::string target_text, std::string name)
{
    auto parsed = parse_target(target_text);
    auto const target = CO_TRY(parsed);
    auto borrowed = co_await pool_.borrow(target.account);
    auto const connection = CO_TRY(borrowed);
    auto const role = quote_identifier(name);
    // First nobody can log in any more, then who is logged in goes, then what the role has and is. The membership lets us end its sessions and drop what it made.
    auto const locked = co_await connection->query("ALTER ROLE " + role + " NOLOGIN PASSWORD NULL; GRANT " + role + " TO CURRENT_USER");
    if (locked.is_error() && locked.error().code == ErrorCode::not_found)
        co_return co_await check_absent(connection, name);
    if (locked.is_error())
        co_return locked.error();
    auto done = co_await end_sessions(connection, name);
    if (done.is_ok())
        done = co_await drop_owned_elsewhere(connection, target, name);
    if (done.is_ok() && !target.owner.empty())
        done = co_await hand_over(*connection, target, name);
    if (done.is_ok())
        done = co_await drop_owned(*connection, name);
    if (done.is_error())
        co_return done.error();
    auto const dropped = co_await connection->query("DROP SCHEMA IF EXISTS " + role + " CASCADE; DROP ROLE " + role);
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
