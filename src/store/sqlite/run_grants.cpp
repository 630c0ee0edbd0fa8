// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/run_grants.h"

namespace writ::store {

namespace {

class SqliteRunGrants final : public RunGrantStore {
public:
    explicit SqliteRunGrants(std::shared_ptr<Database> database)
        : database_(std::move(database))
    {
    }

    Result<> add(RunGrant const& grant) override
    {
        auto statement = TRY(database_->prepare("INSERT INTO run_grants VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"));
        statement.bind(grant.digest).bind(grant.id).bind(grant.workload).bind(grant.purpose).bind(grant.uses).bind(grant.record);
        TRY(statement.bind(grant.expires).run());
        return {};
    }

    Result<RunGrant> find(std::string const& digest, Timestamp now) override
    {
        auto statement = TRY(database_->prepare("SELECT digest, id, workload, purpose, uses, record, expires FROM run_grants WHERE digest = ?1 AND expires > ?2"));
        if (!TRY(statement.bind(digest).bind(now).step()))
            return none();
        auto grant = read(statement);
        TRY(statement.run());
        return grant;
    }

    Result<> redeem(std::string const& digest, Timestamp now) override
    {
        auto statement = TRY(database_->prepare("DELETE FROM run_grants WHERE digest = ?1 AND expires > ?2"));
        if (TRY(statement.bind(digest).bind(now).run()) != 1)
            return none();
        return {};
    }

    Result<std::size_t> count(std::string const& workload, Timestamp now) override
    {
        auto expired = TRY(database_->prepare("DELETE FROM run_grants WHERE expires <= ?1"));
        TRY(expired.bind(now).run());
        auto statement = TRY(database_->prepare("SELECT count(*) FROM run_grants WHERE ?1 = '' OR workload = ?1"));
        auto const has_row = TRY(statement.bind(workload).step());
        auto const count = has_row ? statement.number(0) : 0;
        TRY(statement.run());
        return static_cast<std::size_t>(count);
    }

    Result<std::vector<RunGrant>> list(std::string const& workload, Timestamp now, std::size_t limit) override
    {
        auto statement = TRY(database_->prepare("SELECT digest, id, workload, purpose, uses, record, expires FROM run_grants "
                                                "WHERE (?1 = '' OR workload = ?1) AND expires > ?2 ORDER BY record DESC, id LIMIT ?3"));
        std::vector<RunGrant> grants;
        statement.bind(workload).bind(now).bind(std::uint64_t(limit));
        while (TRY(statement.step()))
            grants.push_back(read(statement));
        return grants;
    }

    Result<> remove(std::string const& id) override
    {
        auto statement = TRY(database_->prepare("DELETE FROM run_grants WHERE id = ?1"));
        if (TRY(statement.bind(id).run()) != 1)
            return not_found("no promised run `" + id + "`, or it has started or expired");
        return {};
    }

private:
    static RunGrant read(Statement const& row)
    {
        return { row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), static_cast<std::uint64_t>(row.number(5)), row.time(6) };
    }

    static Error none() { return not_found("no such token of a run, or it was used or has expired"); }

    std::shared_ptr<Database> database_;
};

} // namespace

std::unique_ptr<RunGrantStore> create_run_grants(std::shared_ptr<Database> database) { return std::make_unique<SqliteRunGrants>(std::move(database)); }

} // namespace writ::store
