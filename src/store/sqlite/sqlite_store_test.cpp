// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/sqlite_store.h"

#include "store/sqlite/database.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::store;

namespace {

Timestamp at(int seconds) { return from_unix_seconds(1'800'000'000 + seconds); }

Store new_store() { return open_sqlite_store(":memory:").value(); }

identity::Lease lease_of(std::string id, std::string run, identity::LeaseState state, Timestamp expires)
{
    identity::Lease lease;
    lease.id = std::move(id);
    lease.run = std::move(run);
    lease.workload = "spiffe://acme.ai/x";
    lease.state = state;
    lease.created = at(0);
    lease.expires = expires;
    return lease;
}

} // namespace

TEST(SqliteStore, keeps_one_version_after_another)
{
    auto const store = new_store();
    EXPECT_EQ(store.declarations->latest().value().number, 0U);
    EXPECT_TRUE(store.declarations->save({ 1, "one" }, at(0)).is_ok());
    EXPECT_EQ(store.declarations->save({ 1, "again" }, at(0)).error().code, ErrorCode::conflict);
    EXPECT_EQ(store.declarations->save({ 3, "gap" }, at(0)).error().code, ErrorCode::conflict);
    EXPECT_TRUE(store.declarations->save({ 2, "two" }, at(0)).is_ok());
    EXPECT_EQ(store.declarations->latest().value().text, "two");
    EXPECT_EQ(store.declarations->version(1).value().text, "one");
    EXPECT_EQ(store.declarations->version(2).value().text, "two");
    EXPECT_EQ(store.declarations->version(3).error().code, ErrorCode::not_found);
}

TEST(SqliteStore, keeps_a_schema_by_its_digest)
{
    auto const store = new_store();
    EXPECT_TRUE(store.declarations->keep_schema("aa", "entity A;").is_ok());
    EXPECT_TRUE(store.declarations->keep_schema("aa", "entity A;").is_ok());
    EXPECT_TRUE(store.declarations->keep_schema("bb", "entity B;").is_ok());
    EXPECT_EQ(store.declarations->schema("aa").value(), "entity A;");
    EXPECT_EQ(store.declarations->schema("bb").value(), "entity B;");
    EXPECT_EQ(store.declarations->schema("cc").error().code, ErrorCode::not_found);
}

TEST(SqliteStore, declarations_are_read_beside_the_writer_and_not_changed)
{
    auto const file = std::filesystem::path(testing::TempDir()) / "read-beside.db";
    std::filesystem::remove(file);
    EXPECT_EQ(read_sqlite_declarations(file).error().code, ErrorCode::not_found);
    EXPECT_FALSE(std::filesystem::exists(file));
    auto const store = open_sqlite_store(file).value();
    EXPECT_TRUE(store.declarations->save({ 1, "one" }, at(0)).is_ok());
    auto const beside = read_sqlite_declarations(file).value();
    EXPECT_EQ(beside->version(1).value().text, "one");
    EXPECT_TRUE(store.declarations->save({ 2, "two" }, at(1)).is_ok());
    EXPECT_EQ(beside->latest().value().number, 2U);
    EXPECT_TRUE(beside->save({ 3, "three" }, at(2)).is_error());
    EXPECT_EQ(store.declarations->latest().value().number, 2U);
}

TEST(SqliteStore, redeems_a_token_once_and_not_after_its_time)
{
    auto const store = new_store();
    EXPECT_TRUE(store.join_tokens->add({ "d1", "spiffe://a/writ/agent/x", at(10) }).is_ok());
    EXPECT_TRUE(store.join_tokens->add({ "d2", "spiffe://a/writ/agent/y", at(10) }).is_ok());
    EXPECT_EQ(store.join_tokens->redeem("d1", at(9)).value().agent, "spiffe://a/writ/agent/x");
    EXPECT_EQ(store.join_tokens->redeem("d1", at(9)).error().code, ErrorCode::not_found);
    EXPECT_EQ(store.join_tokens->redeem("d2", at(10)).error().code, ErrorCode::not_found);
    EXPECT_EQ(store.join_tokens->redeem("d3", at(0)).error().code, ErrorCode::not_found);
}

TEST(SqliteStore, an_agent_is_what_it_was_last_made)
{
    auto const store = new_store();
    std::string const id = "spiffe://a/writ/agent/x";
    EXPECT_EQ(store.agents->find(id).error().code, ErrorCode::not_found);
    EXPECT_TRUE(store.agents->add({ id, at(0), at(0), false }).is_ok());
    EXPECT_FALSE(store.agents->find(id).value().banned);
    EXPECT_TRUE(store.agents->add({ id, at(0), at(1), true }).is_ok());
    EXPECT_TRUE(store.agents->find(id).value().banned) << "what was remembered is no longer so";
}

TEST(SqliteStore, tells_which_leases_are_due)
{
    using identity::LeaseState;
    auto const store = new_store();
    EXPECT_TRUE(store.leases->add(lease_of("later", "r1", LeaseState::active, at(100))).is_ok());
    EXPECT_TRUE(store.leases->add(lease_of("expired", "r1", LeaseState::active, at(5))).is_ok());
    EXPECT_TRUE(store.leases->add(lease_of("pending", "r2", LeaseState::pending, at(100))).is_ok());
    EXPECT_TRUE(store.leases->add(lease_of("ended", "r2", LeaseState::ended, at(1))).is_ok());
    auto const due = store.leases->due(at(10), 10).value();
    ASSERT_EQ(due.size(), 2U);
    EXPECT_EQ(due[0].id, "expired");
    EXPECT_EQ(due[1].id, "pending");
    auto ended = due[0];
    ended.state = LeaseState::ended;
    EXPECT_TRUE(store.leases->update(ended).is_ok());
    EXPECT_EQ(store.leases->due(at(10), 10).value().size(), 1U);
    EXPECT_EQ(store.leases->list({ .run = "r1", .open_only = true }).value().size(), 1U);
    EXPECT_EQ(store.leases->count_open().value(), 2U);
    EXPECT_EQ(store.leases->find("none").error().code, ErrorCode::not_found);
}

TEST(SqliteStore, all_open_leases_page_after_page_whatever_ends_meanwhile)
{
    using identity::LeaseState;
    auto const store = new_store();
    for (int i = 0; i < 25; ++i) {
        auto lease = lease_of("lease-" + std::to_string(100 + i), i % 5 == 0 ? "r2" : "r1", i == 7 ? LeaseState::ended : LeaseState::active, at(100));
        EXPECT_TRUE(store.leases->add(lease).is_ok());
    }
    for (auto const& [run, expected] : { std::pair("", 24), std::pair("r1", 19), std::pair("r2", 5), std::pair("r3", 0) }) {
        int seen = 0;
        std::string after;
        for (auto page = store.leases->open_after("", { .run = run, .limit = 4 }).value(); !page.empty(); page = store.leases->open_after(after, { .run = run, .limit = 4 }).value()) {
            EXPECT_LE(page.size(), 4U);
            for (auto& lease : page) {
                EXPECT_LT(after, lease.id);
                after = lease.id;
                ++seen;
                if (std::string_view(run).empty())
                    continue;
                lease.state = LeaseState::ended;
                EXPECT_TRUE(store.leases->update(lease).is_ok());
            }
        }
        EXPECT_EQ(seen, expected) << run;
    }
    EXPECT_EQ(store.leases->count_open().value(), 0U);
    EXPECT_TRUE(store.leases->open_after("", { .workload = "spiffe://acme.ai/y" }).value().empty());
}

TEST(SqliteStore, the_oldest_of_what_is_due_come_first_whichever_they_are)
{
    using identity::LeaseState;
    auto const store = new_store();
    for (int i = 0; i < 9; ++i)
        EXPECT_TRUE(store.leases->add(lease_of(std::to_string(i), "r", i % 3 == 0 ? LeaseState::revoking : i % 3 == 1 ? LeaseState::active : LeaseState::pending, at(i))).is_ok());
    auto const due = store.leases->due(at(100), 5).value();
    ASSERT_EQ(due.size(), 5U);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(due[std::size_t(i)].id, std::to_string(i));
    EXPECT_EQ(store.leases->due(at(-1), 100).value().size(), 6U) << "none has expired, and the others are to end all the same";
}

TEST(SqliteStore, leases_change_together_or_not_at_all)
{
    using identity::LeaseState;
    auto const store = new_store();
    std::vector<identity::Lease> leases { lease_of("a", "r", LeaseState::active, at(9)), lease_of("b", "r", LeaseState::active, at(9)) };
    for (auto& lease : leases) {
        EXPECT_TRUE(store.leases->add(lease).is_ok());
        lease.state = LeaseState::revoking;
        lease.reason = "together";
    }
    auto with_another = leases;
    with_another.push_back(lease_of("none", "r", LeaseState::ended, at(9)));
    EXPECT_EQ(store.leases->update_all(with_another).error().code, ErrorCode::not_found);
    EXPECT_EQ(store.leases->find("a").value().state, LeaseState::active);
    EXPECT_TRUE(store.leases->update_all(leases).is_ok());
    EXPECT_EQ(store.leases->find("b").value().state, LeaseState::revoking);
    EXPECT_EQ(store.leases->find("b").value().reason, "together");
}

TEST(SqliteStore, a_run_ends_once)
{
    auto const store = new_store();
    identity::Run run;
    run.id = "run-a";
    run.agent = "spiffe://a/writ/agent/x";
    run.started = run.seen = at(0);
    EXPECT_TRUE(store.runs->add(run).is_ok());
    EXPECT_EQ(store.runs->add(run).error().code, ErrorCode::conflict);
    EXPECT_EQ(store.runs->live_runs(run.agent).value().size(), 1U);
    EXPECT_TRUE(store.runs->end("run-a", at(1), "exited").is_ok());
    EXPECT_TRUE(store.runs->end("run-a", at(2), "again").is_ok());
    EXPECT_EQ(store.runs->find("run-a").value().reason, "exited");
    EXPECT_EQ(store.runs->live_runs("").value().size(), 0U);
}

TEST(SqliteStore, refuses_a_file_that_is_no_database)
{
    auto const file = std::filesystem::temp_directory_path() / "writ-no-database";
    ASSERT_TRUE(replace_file(
        file, as_bytes("this is not a database, but long enough to be looked at as one: it goes on and on and on and on and on"))
                    .is_ok());
    EXPECT_EQ(open_sqlite_store(file).error().code, ErrorCode::corruption);
    std::filesystem::remove(file);
}

TEST(SqliteStore, keeps_versions_of_secrets_one_after_another)
{
    auto const store = new_store();
    auto const add = [&](std::string name, std::uint64_t version, std::uint64_t drop_to = 0) {
        return store.secrets->add({ std::move(name), version, { 1, 2 }, { std::uint8_t(version) }, at(int(version)) }, drop_to);
    };
    EXPECT_EQ(store.secrets->newest("a").error().code, ErrorCode::not_found);
    EXPECT_EQ(add("a", 2).error().code, ErrorCode::conflict);
    EXPECT_TRUE(add("a", 1).is_ok());
    EXPECT_EQ(add("a", 1).error().code, ErrorCode::conflict);
    EXPECT_TRUE(add("b", 1).is_ok());
    EXPECT_TRUE(add("a", 2).is_ok());
    EXPECT_EQ(store.secrets->newest("a").value().sealed, Bytes { 2 });
    EXPECT_EQ(store.secrets->newest("a").value().created, at(2));
    EXPECT_EQ(store.secrets->count_names().value(), 2U);
    EXPECT_TRUE(add("a", 3, 2).is_ok());
    auto const listed = store.secrets->list(10).value();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].version, 3U);
    EXPECT_TRUE(listed[0].key.empty() && listed[0].sealed.empty());
    EXPECT_TRUE(store.secrets->remove("a").is_ok());
    EXPECT_EQ(store.secrets->remove("a").error().code, ErrorCode::not_found);
    EXPECT_EQ(store.secrets->newest("b").value().version, 1U);
}

TEST(SqliteStore, a_promised_run_is_redeemed_once_and_not_after_its_time)
{
    auto const store = new_store();
    auto& grants = *store.run_grants;
    auto const grant = [](std::string digest, int expires) {
        return RunGrantStore::RunGrant { std::move(digest), "grant-a", "spiffe://acme.ai/x", "train", "[]", 7, at(expires) };
    };
    EXPECT_EQ(grants.find("d1", at(0)).error().code, ErrorCode::not_found);
    ASSERT_TRUE(grants.add(grant("d1", 10)).is_ok());
    EXPECT_TRUE(grants.add(grant("d1", 20)).is_error()) << "nobody's grant takes another's place";
    auto const found = grants.find("d1", at(9)).value();
    EXPECT_EQ(found.id, "grant-a");
    EXPECT_EQ(found.workload, "spiffe://acme.ai/x");
    EXPECT_EQ(found.purpose, "train");
    EXPECT_EQ(found.uses, "[]");
    EXPECT_EQ(found.record, 7U);
    EXPECT_EQ(found.expires, at(10));
    EXPECT_EQ(grants.find("d1", at(10)).error().code, ErrorCode::not_found);
    EXPECT_EQ(grants.redeem("d1", at(10)).error().code, ErrorCode::not_found);
    EXPECT_TRUE(grants.redeem("d1", at(9)).is_ok());
    EXPECT_EQ(grants.redeem("d1", at(9)).error().code, ErrorCode::not_found);
    EXPECT_EQ(grants.find("d1", at(9)).error().code, ErrorCode::not_found);
}

TEST(SqliteStore, promised_runs_that_have_expired_are_not_counted_and_go)
{
    auto const store = new_store();
    auto& grants = *store.run_grants;
    EXPECT_EQ(grants.count("", at(0)).value(), 0U);
    ASSERT_TRUE(grants.add({ "soon", "grant-a", "spiffe://acme.ai/x", "", "[]", 1, at(5) }).is_ok());
    ASSERT_TRUE(grants.add({ "later", "grant-b", "spiffe://acme.ai/x", "", "[]", 2, at(50) }).is_ok());
    EXPECT_EQ(grants.count("", at(4)).value(), 2U);
    EXPECT_EQ(grants.count("", at(5)).value(), 1U);
    EXPECT_EQ(grants.find("soon", at(0)).error().code, ErrorCode::not_found) << "it went, and a clock that goes back does not bring it again";
    EXPECT_TRUE(grants.redeem("later", at(5)).is_ok());
    EXPECT_EQ(grants.count("", at(5)).value(), 0U);
}

TEST(SqliteStore, promised_runs_are_told_apart_by_their_workloads)
{
    auto const store = new_store();
    auto& grants = *store.run_grants;
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(grants.add({ "d" + std::to_string(i), "grant-" + std::to_string(i), i < 3 ? "spiffe://acme.ai/x" : "spiffe://acme.ai/y", "train", "[]", std::uint64_t(i), at(50) }).is_ok());
    EXPECT_EQ(grants.count("spiffe://acme.ai/x", at(0)).value(), 3U);
    EXPECT_EQ(grants.count("spiffe://acme.ai/z", at(0)).value(), 0U);
    auto const listed = grants.list("spiffe://acme.ai/x", at(0), 2).value();
    ASSERT_EQ(listed.size(), 2U);
    EXPECT_EQ(listed[0].id, "grant-2") << "newest first";
    EXPECT_EQ(grants.list("", at(0), 10).value().size(), 4U);
    EXPECT_TRUE(grants.list("", at(50), 10).value().empty());
    EXPECT_TRUE(grants.remove("grant-2").is_ok());
    EXPECT_EQ(grants.remove("grant-2").error().code, ErrorCode::not_found);
    EXPECT_EQ(grants.redeem("d2", at(0)).error().code, ErrorCode::not_found);
    EXPECT_EQ(grants.count("", at(0)).value(), 3U);
}

TEST(SqliteStore, what_is_due_leaves_out_the_waiting_leases_of_some_providers)
{
    using identity::LeaseState;
    auto const store = new_store();
    for (int i = 0; i < 6; ++i) {
        auto lease = lease_of(std::to_string(i), "r", i < 4 ? LeaseState::revoking : LeaseState::active, at(i));
        lease.provider = i % 2 == 0 ? "gone" : "there";
        EXPECT_TRUE(store.leases->add(lease).is_ok());
    }
    auto const ids = [&](std::vector<std::string> const& without, std::size_t limit) {
        std::string text;
        for (auto const& lease : store.leases->due(at(4), limit, without).value())
            text += lease.id;
        return text;
    };
    EXPECT_EQ(ids({}, 10), "01234");
    EXPECT_EQ(ids({ "gone" }, 10), "134") << "what has just expired is told of once more";
    EXPECT_EQ(ids({ "gone" }, 1), "1") << "those left out take no place";
    EXPECT_EQ(ids({ "gone", "there" }, 10), "4");
}

TEST(SqliteStore, ended_leases_and_runs_go_when_their_time_has_come)
{
    using identity::LeaseState;
    auto const store = new_store();
    for (int i = 0; i < 6; ++i) {
        auto lease = lease_of("l" + std::to_string(i), "run-a", LeaseState::active, at(100));
        EXPECT_TRUE(store.leases->add(lease).is_ok());
        lease.state = i < 4 ? LeaseState::ended : LeaseState::revoking;
        lease.revoking = at(i);
        if (i != 3)
            lease.ended = at(i + 1);
        EXPECT_TRUE(store.leases->update(lease).is_ok());
    }
    EXPECT_EQ(store.leases->find("l2").value().ended, at(3));
    EXPECT_EQ(store.leases->find("l2").value().revoking, at(2));
    for (auto const* id : { "run-a", "run-b", "run-c" }) {
        identity::Run run;
        run.id = id;
        run.started = run.seen = at(0);
        EXPECT_TRUE(store.runs->add(run).is_ok());
    }
    EXPECT_TRUE(store.runs->end("run-a", at(1), "").is_ok());
    EXPECT_TRUE(store.runs->end("run-b", at(1), "").is_ok());
    EXPECT_EQ(store.leases->forget_ended(at(3), 1).value(), 1U);
    EXPECT_EQ(store.leases->forget_ended(at(3), 9).value(), 1U) << "l1; l2 ended at 3";
    EXPECT_EQ(store.leases->forget_ended(at(100), 9).value(), 1U) << "l3 ended nobody knows when, and before its time was over";
    EXPECT_EQ(store.leases->forget_ended(at(101), 9).value(), 1U);
    EXPECT_EQ(store.leases->count_open().value(), 2U) << "what has not ended stays";
    EXPECT_EQ(store.runs->forget_ended(at(2), 9).value(), 1U);
    EXPECT_EQ(store.runs->find("run-b").error().code, ErrorCode::not_found);
    EXPECT_TRUE(store.runs->find("run-a").is_ok()) << "it has leases";
    EXPECT_TRUE(store.runs->find("run-c").is_ok()) << "it lives";
}

TEST(SqliteStore, a_database_of_version_1_is_brought_up_to_date)
{
    auto const file = std::filesystem::path(testing::TempDir()) / "version-1.db";
    std::filesystem::remove(file);
    EXPECT_TRUE(open_sqlite_store(file).value().leases->add(lease_of("old", "r", identity::LeaseState::revoking, at(5))).is_ok());
    {
        auto const database = Database::open(file).value();
        EXPECT_TRUE(database->execute("DROP INDEX leases_waiting; DROP INDEX leases_ended; DROP INDEX runs_ended; ALTER TABLE leases DROP COLUMN revoking; "
                                      "ALTER TABLE leases DROP COLUMN ended; CREATE INDEX leases_unsettled ON leases (expires) WHERE state IN (0, 2); PRAGMA user_version = 1")
                        .is_ok());
    }
    auto const store = open_sqlite_store(file).value();
    auto const due = store.leases->due(at(0), 10).value();
    ASSERT_EQ(due.size(), 1U);
    EXPECT_EQ(due[0].id, "old");
    EXPECT_FALSE(due[0].revoking || due[0].ended);
    std::filesystem::remove(file);
}
