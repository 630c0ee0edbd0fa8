// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.h"

#include "base/json.h"
#include "store/sqlite/database.h"
#include "store/sqlite/run_grants.h"
#include "store/sqlite/sealed_rows.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace writ::store {

namespace {

constexpr std::int64_t schema_version = 2;

constexpr char const* schema = R"sql(
BEGIN IMMEDIATE;
CREATE TABLE declarations (number INTEGER PRIMARY KEY, text TEXT NOT NULL, time INTEGER NOT NULL) STRICT;
CREATE TABLE keys (name TEXT PRIMARY KEY, sealed BLOB NOT NULL, certificate BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;
CREATE TABLE runs (id TEXT PRIMARY KEY, agent TEXT NOT NULL, workload TEXT NOT NULL, workload_name TEXT NOT NULL, purpose TEXT NOT NULL, claims TEXT NOT NULL,
    started INTEGER NOT NULL, seen INTEGER NOT NULL, ended INTEGER, reason TEXT NOT NULL) STRICT;
CREATE INDEX runs_live ON runs (agent) WHERE ended IS NULL;
CREATE INDEX runs_started ON runs (started);
CREATE TABLE leases (id TEXT PRIMARY KEY, run TEXT NOT NULL, workload TEXT NOT NULL, kind TEXT NOT NULL, provider TEXT NOT NULL, credential TEXT NOT NULL,
    scope TEXT NOT NULL, target TEXT NOT NULL, action TEXT NOT NULL, resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, decision INTEGER NOT NULL,
    issuance INTEGER NOT NULL, state INTEGER NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE INDEX leases_run ON leases (run);
CREATE INDEX leases_created ON leases (created);
CREATE INDEX leases_open ON leases (expires) WHERE state <> 3;
CREATE TABLE join_tokens (digest TEXT PRIMARY KEY, agent TEXT NOT NULL, expires INTEGER NOT NULL) STRICT;
CREATE TABLE agents (id TEXT PRIMARY KEY, joined INTEGER NOT NULL, seen INTEGER NOT NULL, banned INTEGER NOT NULL) STRICT;
PRAGMA user_version = 1;
COMMIT;
)sql";

// A program of version 1 would add leases without them.
constexpr char const* to_version_2 = R"sql(
BEGIN IMMEDIATE;
ALTER TABLE leases ADD COLUMN revoking INTEGER;
ALTER TABLE leases ADD COLUMN ended INTEGER;
DROP INDEX IF EXISTS leases_unsettled;
CREATE INDEX leases_waiting ON leases (expires, provider) WHERE state IN (0, 2);
CREATE INDEX leases_ended ON leases (coalesce(ended, expires)) WHERE state = 3;
CREATE INDEX runs_ended ON runs (ended) WHERE ended IS NOT NULL;
PRAGMA user_version = 2;
COMMIT;
)sql";

// Beside the rest since databases of version 1 have none; a program that does not know them leaves them alone.
constexpr char const* later_tables = R"sql(
CREATE TABLE IF NOT EXISTS schemas (digest TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS secrets (name TEXT NOT NULL, version INTEGER NOT NULL, key BLOB NOT NULL, sealed BLOB NOT NULL, created INTEGER NOT NULL,
    PRIMARY KEY (name, version)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run_grants (digest TEXT PRIMARY KEY, id TEXT NOT NULL, workload TEXT NOT NULL, purpose TEXT NOT NULL, uses TEXT NOT NULL,
    record INTEGER NOT NULL, expires INTEGER NOT NULL) STRICT;
)sql";

static_assert(static_cast<int>(identity::LeaseState::ended) == 3, "the indexes leases_open and leases_ended name the number");
static_assert(static_cast<int>(identity::LeaseState::pending) == 0 && static_cast<int>(identity::LeaseState::revoking) == 2, "the index leases_waiting names the numbers");

Result<> create_schema(Database& database)
{
    auto statement = TRY(database.prepare("PRAGMA user_version"));
    auto const has_row = TRY(statement.step());
    auto const version = has_row ? statement.number(0) : 0;
    TRY(statement.run());
    if (version > schema_version)
        return corruption("the database was written by a newer version of Writ (schema " + std::to_string(version) + ")");
    if (version < 1)
        TRY(database.execute(schema));
    if (version < 2)
        TRY(database.execute(to_version_2));
    return database.execute(later_tables);
}

class SqliteDeclarations final : public DeclarationStore {
public:
    explicit SqliteDeclarations(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<Version> latest() override
    {
        auto statement = TRY(database_->prepare("SELECT number, text FROM declarations ORDER BY number DESC LIMIT 1"));
        Version version;
        if (TRY(statement.step())) {
            version.number = static_cast<std::uint64_t>(statement.number(0));
            version.text = statement.text(1);
            TRY(statement.run());
        }
        return version;
    }

    Result<Version> version(std::uint64_t number) override
    {
        auto statement = TRY(database_->prepare("SELECT text FROM declarations WHERE number = ?1"));
        if (!TRY(statement.bind(number).step()))
            return not_found("no version " + std::to_string(number) + " of the declarations");
        Version version { number, statement.text(0) };
        TRY(statement.run());
        return version;
    }

    Result<> save(Version const& version, Timestamp time) override
    {
        auto statement = TRY(database_->prepare(
            "INSERT INTO declarations SELECT ?1, ?2, ?3 WHERE (SELECT coalesce(max(number), 0) FROM declarations) = ?1 - 1"));
        statement.bind(version.number).bind(version.text).bind(time);
        if (TRY(statement.run()) != 1)
            return conflict("the declarations changed meanwhile");
        return {};
    }

    Result<> keep_schema(std::string const& digest, std::string const& text) override
    {
        auto statement = TRY(database_->prepare("INSERT OR IGNORE INTO schemas VALUES (?1, ?2)"));
        TRY(statement.bind(digest).bind(text).run());
        return {};
    }

    Result<std::string> schema(std::string const& digest) override
    {
        auto statement = TRY(database_->prepare("SELECT text FROM schemas WHERE digest = ?1"));
        if (!TRY(statement.bind(digest).step()))
            return not_found("no schema with the SHA-256 " + digest);
        auto text = statement.text(0);
        TRY(statement.run());
        return text;
    }

private:
    std::shared_ptr<Database> database_;
};

class SqliteKeys final : public KeyStore {
public:
    explicit SqliteKeys(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<std::vector<SealedKey>> keys() override
    {
        auto statement = TRY(database_->prepare("SELECT name, sealed, certificate, created, expires FROM keys ORDER BY created, name"));
        std::vector<SealedKey> found;
        while (TRY(statement.step()))
            found.push_back({ statement.text(0), statement.blob(1), statement.blob(2), statement.time(3), statement.time(4) });
        return found;
    }

    Result<> add(SealedKey const& key) override
    {
        auto statement = TRY(database_->prepare("INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5)"));
        TRY(statement.bind(key.name).bind(key.sealed).bind(key.certificate).bind(key.created).bind(key.expires).run());
        return {};
    }

private:
    std::shared_ptr<Database> database_;
};

constexpr char const* run_columns = "SELECT id, agent, workload, workload_name, purpose, claims, started, seen, ended, reason FROM runs ";

identity::Run read_run(Statement const& row)
{
    return { row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5), row.time(6), row.time(7), row.optional_time(8),
        row.text(9) };
}

Result<std::vector<identity::Run>> read_runs(Statement statement)
{
    std::vector<identity::Run> runs;
    while (TRY(statement.step()))
        runs.push_back(read_run(statement));
    return runs;
}

class SqliteRuns final : public RunStore {
public:
    explicit SqliteRuns(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<> add(identity::Run const& run) override
    {
        auto statement = TRY(database_->prepare("INSERT INTO runs VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"));
        statement.bind(run.id).bind(run.agent).bind(run.workload).bind(run.workload_name).bind(run.purpose).bind(run.claims);
        TRY(statement.bind(run.started).bind(run.seen).bind(run.ended).bind(run.reason).run());
        return {};
    }

    Result<identity::Run> find(std::string const& id) override
    {
        static std::string const sql = std::string(run_columns) + "WHERE id = ?1";
        auto statement = TRY(database_->prepare(sql.c_str()));
        auto runs = TRY(read_runs(statement.bind(id)));
        if (runs.empty())
            return not_found("no run `" + id + "`");
        return std::move(runs.front());
    }

    Result<> touch(std::string const& id, Timestamp seen) override
    {
        auto statement = TRY(database_->prepare("UPDATE runs SET seen = ?1 WHERE id = ?2 AND ended IS NULL"));
        TRY(statement.bind(seen).bind(id).run());
        return {};
    }

    Result<> end(std::string const& id, Timestamp time, std::string const& reason) override
    {
        auto statement = TRY(database_->prepare("UPDATE runs SET ended = ?1, reason = ?2 WHERE id = ?3 AND ended IS NULL"));
        TRY(statement.bind(time).bind(reason).bind(id).run());
        return {};
    }

    Result<std::vector<identity::Run>> live_runs(std::string const& agent) override
    {
        static std::string const sql = std::string(run_columns) + "WHERE ended IS NULL AND (?1 = '' OR agent = ?1) ORDER BY started";
        auto statement = TRY(database_->prepare(sql.c_str()));
        return read_runs(statement.bind(agent));
    }

    Result<std::vector<identity::Run>> newest_runs(std::size_t limit) override
    {
        static std::string const sql = std::string(run_columns) + "ORDER BY started DESC LIMIT ?1";
        auto statement = TRY(database_->prepare(sql.c_str()));
        return read_runs(statement.bind(std::uint64_t(limit)));
    }

    Result<std::size_t> forget_ended(Timestamp before, std::size_t limit) override
    {
        auto statement = TRY(database_->prepare("DELETE FROM runs WHERE id IN (SELECT id FROM runs INDEXED BY runs_ended WHERE ended < ?1 "
                                                "AND NOT EXISTS (SELECT 1 FROM leases WHERE leases.run = runs.id) ORDER BY ended LIMIT ?2)"));
        return statement.bind(before).bind(std::uint64_t(limit)).run();
    }

private:
    std::shared_ptr<Database> database_;
};

constexpr char const* lease_columns
    = "SELECT id, run, workload, kind, provider, credential, scope, target, action, resource_type, resource_id, decision, "
      "issuance, state, created, expires, reason, revoking, ended FROM leases ";
// Of one run, however many there are: the planner might sooner follow an index that has the order.
constexpr char const* of_run = "INDEXED BY leases_run WHERE run = ?1 ";
constexpr char const* of_any_run = "WHERE ?1 = '' ";

identity::Lease read_lease(Statement const& row)
{
    identity::Lease lease;
    lease.id = row.text(0);
    lease.run = row.text(1);
    lease.workload = row.text(2);
    lease.kind = row.text(3);
    lease.provider = row.text(4);
    lease.credential = row.text(5);
    lease.scope = row.text(6);
    lease.target = row.text(7);
    lease.action = row.text(8);
    lease.resource_type = row.text(9);
    lease.resource_id = row.text(10);
    lease.decision = static_cast<std::uint64_t>(row.number(11));
    lease.issuance = static_cast<std::uint64_t>(row.number(12));
    lease.state = static_cast<identity::LeaseState>(row.number(13));
    lease.created = row.time(14);
    lease.expires = row.time(15);
    lease.reason = row.text(16);
    lease.revoking = row.optional_time(17);
    lease.ended = row.optional_time(18);
    return lease;
}

Result<std::vector<identity::Lease>> read_leases(Statement statement)
{
    std::vector<identity::Lease> leases;
    while (TRY(statement.step()))
        leases.push_back(read_lease(statement));
    return leases;
}

class SqliteLeases final : public LeaseStore {
public:
    explicit SqliteLeases(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<> add(identity::Lease const& lease) override
    {
        auto statement = TRY(
            database_->prepare("INSERT INTO leases VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"));
        statement.bind(lease.id).bind(lease.run).bind(lease.workload).bind(lease.kind).bind(lease.provider).bind(lease.credential);
        statement.bind(lease.scope)
            .bind(lease.target)
            .bind(lease.action)
            .bind(lease.resource_type)
            .bind(lease.resource_id)
            .bind(lease.decision);
        TRY(statement.bind(lease.issuance)
                .bind(std::int64_t(lease.state))
                .bind(lease.created)
                .bind(lease.expires)
                .bind(lease.reason)
                .bind(lease.revoking)
                .bind(lease.ended)
                .run());
        return {};
    }

    Result<identity::Lease> find(std::string const& id) override
    {
        static std::string const sql = std::string(lease_columns) + "WHERE id = ?1";
        auto statement = TRY(database_->prepare(sql.c_str()));
        auto leases = TRY(read_leases(statement.bind(id)));
        if (leases.empty())
            return not_found("no lease `" + id + "`");
        return std::move(leases.front());
    }

    Result<> update(identity::Lease const& lease) override
    {
        auto statement = TRY(database_->prepare("UPDATE leases SET state = ?1, issuance = ?2, expires = ?3, reason = ?4, revoking = ?5, ended = ?6 WHERE id = ?7"));
        statement.bind(std::int64_t(lease.state)).bind(lease.issuance).bind(lease.expires).bind(lease.reason);
        if (TRY(statement.bind(lease.revoking).bind(lease.ended).bind(lease.id).run()) != 1)
            return not_found("no lease `" + lease.id + "`");
        return {};
    }

    Result<> update_all(std::vector<identity::Lease> const& leases) override
    {
        TRY(database_->execute("BEGIN IMMEDIATE"));
        for (auto const& lease : leases) {
            if (auto updated = update(lease); updated.is_error()) {
                (void)database_->execute("ROLLBACK");
                return updated;
            }
        }
        auto committed = database_->execute("COMMIT");
        if (committed.is_error())
            (void)database_->execute("ROLLBACK");
        return committed;
    }

    Result<std::vector<identity::Lease>> list(LeaseFilter const& filter) override
    {
        static std::string const rest = "AND (?2 = '' OR workload = ?2) AND (?3 = 0 OR state <> 3) ORDER BY created DESC, id LIMIT ?4";
        static std::string const run_sql = lease_columns + (of_run + rest), sql = lease_columns + (of_any_run + rest);
        auto statement = TRY(database_->prepare((filter.run.empty() ? sql : run_sql).c_str()));
        return read_leases(
            statement.bind(filter.run).bind(filter.workload).bind(std::int64_t(filter.open_only)).bind(std::uint64_t(filter.limit)));
    }

    Result<std::vector<identity::Lease>> open_after(std::string const& id, LeaseFilter const& filter) override
    {
        static std::string const rest = "AND (?2 = '' OR workload = ?2) AND state <> 3 AND id > ?3 ORDER BY id LIMIT ?4";
        static std::string const run_sql = lease_columns + (of_run + rest), sql = lease_columns + (of_any_run + rest);
        auto statement = TRY(database_->prepare((filter.run.empty() ? sql : run_sql).c_str()));
        return read_leases(statement.bind(filter.run).bind(filter.workload).bind(id).bind(std::uint64_t(filter.limit)));
    }

    // Asked every second, so both read what is due alone, however many are open; of what is left out the index.
    Result<std::vector<identity::Lease>> due(Timestamp now, std::size_t limit, std::vector<std::string> const& without) override
    {
        static std::string const unsettled_sql
            = lease_columns + std::string("INDEXED BY leases_waiting WHERE state IN (0, 2) AND provider NOT IN (SELECT value FROM json_each(?1)) ORDER BY expires LIMIT ?2");
        static std::string const expired_sql
            = lease_columns + std::string("INDEXED BY leases_open WHERE state <> 3 AND state = 1 AND expires <= ?1 ORDER BY expires LIMIT ?2");
        auto unsettled = TRY(database_->prepare(unsettled_sql.c_str()));
        auto leases = TRY(read_leases(unsettled.bind(to_text(JsonValue(JsonArray(without.begin(), without.end())))).bind(std::uint64_t(limit))));
        auto expired = TRY(database_->prepare(expired_sql.c_str()));
        std::ranges::move(TRY(read_leases(expired.bind(now).bind(std::uint64_t(limit)))), std::back_inserter(leases));
        std::ranges::stable_sort(leases, {}, &identity::Lease::expires);
        leases.resize(std::min(leases.size(), limit));
        return leases;
    }

    Result<std::size_t> forget_ended(Timestamp before, std::size_t limit) override
    {
        auto statement = TRY(database_->prepare("DELETE FROM leases WHERE id IN (SELECT id FROM leases INDEXED BY leases_ended "
                                                "WHERE state = 3 AND coalesce(ended, expires) < ?1 ORDER BY coalesce(ended, expires) LIMIT ?2)"));
        return statement.bind(before).bind(std::uint64_t(limit)).run();
    }

    Result<std::size_t> count_open() override
    {
        auto statement = TRY(database_->prepare("SELECT count(*) FROM leases WHERE state <> 3"));
        auto const has_row = TRY(statement.step());
        auto const count = has_row ? statement.number(0) : 0;
        TRY(statement.run());
        return static_cast<std::size_t>(count);
    }

private:
    std::shared_ptr<Database> database_;
};

class SqliteJoinTokens final : public JoinTokenStore {
public:
    explicit SqliteJoinTokens(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<> add(JoinToken const& token) override
    {
        auto statement = TRY(database_->prepare("INSERT INTO join_tokens VALUES (?1, ?2, ?3)"));
        TRY(statement.bind(token.digest).bind(token.agent).bind(token.expires).run());
        return {};
    }

    Result<JoinToken> redeem(std::string const& digest, Timestamp now) override
    {
        auto statement = TRY(database_->prepare("DELETE FROM join_tokens WHERE digest = ?1 RETURNING agent, expires"));
        statement.bind(digest);
        std::optional<JoinToken> token;
        while (TRY(statement.step()))
            token = JoinToken { digest, statement.text(0), statement.time(1) };
        if (!token || token->expires <= now)
            return not_found("no such join token, or it was used or has expired");
        return std::move(*token);
    }

private:
    std::shared_ptr<Database> database_;
};

class SqliteAgents final : public AgentStore {
public:
    explicit SqliteAgents(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<> add(Agent const& agent) override
    {
        auto statement = TRY(database_->prepare("INSERT OR REPLACE INTO agents VALUES (?1, ?2, ?3, ?4)"));
        known_.erase(agent.id); // first: whatever comes of it, the database is asked again
        TRY(statement.bind(agent.id).bind(agent.joined).bind(agent.seen).bind(std::int64_t(agent.banned)).run());
        return {};
    }

    // Asked for each request of an agent, so it is remembered: nobody else writes to the database.
    Result<Agent> find(std::string const& id) override
    {
        if (auto const known = known_.find(id); known != known_.end())
            return known->second;
        auto statement = TRY(database_->prepare("SELECT id, joined, seen, banned FROM agents WHERE id = ?1"));
        auto agents = TRY(read(statement.bind(id)));
        if (agents.empty())
            return not_found("no agent `" + id + "`");
        if (known_.size() >= known_agents_max)
            known_.clear();
        return known_[id] = std::move(agents.front());
    }

    Result<std::vector<Agent>> list() override
    {
        return read(TRY(database_->prepare("SELECT id, joined, seen, banned FROM agents ORDER BY id")));
    }

private:
    static Result<std::vector<Agent>> read(Statement statement)
    {
        std::vector<Agent> agents;
        while (TRY(statement.step()))
            agents.push_back({ statement.text(0), statement.time(1), statement.time(2), statement.number(3) != 0 });
        return agents;
    }

    // LIMIT: agents remembered; beyond it some are read again.
    static constexpr std::size_t known_agents_max = 10'000;

    std::shared_ptr<Database> database_;
    std::map<std::string, Agent> known_;
};

class SqliteSecrets final : public SecretStore {
public:
    explicit SqliteSecrets(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<SealedSecret> newest(std::string const& name) override
    {
        auto statement = TRY(database_->prepare("SELECT name, version, key, sealed, created FROM secrets WHERE name = ?1 ORDER BY version DESC LIMIT 1"));
        if (!TRY(statement.bind(name).step()))
            return not_found("no secret `" + name + "`");
        SealedSecret secret { statement.text(0), static_cast<std::uint64_t>(statement.number(1)), statement.blob(2), statement.blob(3), statement.time(4) };
        TRY(statement.run());
        return secret;
    }

    Result<> add(SealedSecret const& secret, std::uint64_t drop_to) override
    {
        TRY(database_->execute("BEGIN IMMEDIATE"));
        auto added = insert(secret, drop_to);
        auto const ended = database_->execute(added.is_ok() ? "COMMIT" : "ROLLBACK");
        return added.is_ok() ? ended : added;
    }

    Result<> remove(std::string const& name) override
    {
        auto statement = TRY(database_->prepare("DELETE FROM secrets WHERE name = ?1"));
        if (TRY(statement.bind(name).run()) == 0)
            return not_found("no secret `" + name + "`");
        return {};
    }

    Result<std::vector<SealedSecret>> list(std::size_t limit) override
    {
        auto statement = TRY(database_->prepare("SELECT name, version, created FROM secrets ORDER BY name, version LIMIT ?1"));
        std::vector<SealedSecret> found;
        statement.bind(std::uint64_t(limit));
        while (TRY(statement.step()))
            found.push_back({ statement.text(0), static_cast<std::uint64_t>(statement.number(1)), {}, {}, statement.time(2) });
        return found;
    }

    Result<std::size_t> count_names() override
    {
        auto statement = TRY(database_->prepare("SELECT count(DISTINCT name) FROM secrets"));
        auto const has_row = TRY(statement.step());
        auto const count = has_row ? statement.number(0) : 0;
        TRY(statement.run());
        return static_cast<std::size_t>(count);
    }

private:
    Result<> insert(SealedSecret const& secret, std::uint64_t drop_to)
    {
        auto statement = TRY(database_->prepare(
            "INSERT INTO secrets SELECT ?1, ?2, ?3, ?4, ?5 WHERE (SELECT coalesce(max(version), 0) FROM secrets WHERE name = ?1) = ?2 - 1"));
        statement.bind(secret.name).bind(secret.version).bind(BytesView(secret.key)).bind(BytesView(secret.sealed)).bind(secret.created);
        if (TRY(statement.run()) != 1)
            return conflict("secret `" + secret.name + "` has another version meanwhile");
        auto dropping = TRY(database_->prepare("DELETE FROM secrets WHERE name = ?1 AND version <= ?2"));
        TRY(dropping.bind(secret.name).bind(drop_to).run());
        return {};
    }

    std::shared_ptr<Database> database_;
};

} // namespace

Result<Store> open_sqlite_store(Path const& file)
{
    auto const database = TRY(Database::open(file));
    TRY(create_schema(*database).in("`" + file.string() + "`"));
    return Store { std::make_unique<SqliteDeclarations>(database), std::make_unique<SqliteKeys>(database),
        std::make_unique<SqliteRuns>(database), std::make_unique<SqliteLeases>(database), std::make_unique<SqliteJoinTokens>(database),
        std::make_unique<SqliteAgents>(database), std::make_unique<SqliteSecrets>(database), create_run_grants(database), create_sealed_rows(database) };
}

Result<std::unique_ptr<DeclarationStore>> read_sqlite_declarations(Path const& file)
{
    return std::unique_ptr<DeclarationStore>(std::make_unique<SqliteDeclarations>(TRY(Database::open_to_read(file))));
}

} // namespace writ::store
