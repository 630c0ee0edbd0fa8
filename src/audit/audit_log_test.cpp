// SPDX-License-Identifier: Apache-2.0
#include "audit/audit_log.h"

#include <future>
#include <gtest/gtest.h>

namespace writ::audit {
namespace {

template <typename T> Result<T> wait_for(std::function<void(Done<T>)> const& ask)
{
    std::promise<Result<T>> promise;
    auto future = promise.get_future();
    ask([&promise](Result<T> result) { promise.set_value(std::move(result)); });
    return future.get();
}

class AuditLogTest : public testing::Test {
protected:
    AuditLogTest()
    {
        auto pattern = (std::filesystem::temp_directory_path() / "writ-audit-XXXXXX").string();
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        open();
    }
    ~AuditLogTest() override
    {
        log_.reset();
        std::filesystem::remove_all(folder_);
    }

    void open()
    {
        log_.reset();
        log_ = AuditLog::open({ .folder = folder_ / "log", .signer = signer_ }, folder_ / "index.db", clock_).value();
    }

    std::uint64_t append(Record const& record)
    {
        return wait_for<std::uint64_t>([&](auto done) { log_->append(record, std::move(done)); }).value();
    }
    std::vector<std::uint64_t> find(RecordFilter const& filter)
    {
        std::vector<std::uint64_t> sequences;
        for (auto const& stored : wait_for<std::vector<StoredRecord>>([&](auto done) { log_->query(filter, std::move(done)); }).value())
            sequences.push_back(stored.sequence);
        return sequences;
    }
    std::vector<Use> who_used(std::string const& id)
    {
        return wait_for<UsePage>([&](auto done) {
            log_->ask<UsePage>([&id](Questions& questions) { return questions.who_used("Dataset", id, {}); }, std::move(done));
        })
            .value()
            .uses;
    }

    Record record(RecordType type, std::string const& run) const
    {
        Record record;
        record.type = type;
        record.time = clock_.now();
        record.workload = "spiffe://example.org/trainer";
        record.workload_name = "trainer";
        record.run = run;
        record.action = "read";
        record.resource = RecordedEntity { .type = "Dataset", .id = "biopsies", .version = "", .digest = "" };
        record.outcome = "ok";
        return record;
    }
    std::uint64_t decide(std::string const& run, bool allowed)
    {
        auto decision = record(RecordType::decision, run);
        decision.allowed = allowed;
        decision.policies = { "p1" };
        return append(decision);
    }
    std::uint64_t issue(std::string const& run, std::uint64_t decision, std::string const& lease)
    {
        auto issuance = record(RecordType::issuance, run);
        issuance.decision = decision;
        issuance.policies = { "p1" };
        issuance.claims = { { .name = "unix.uid", .values = { "1000" }, .provider = "unix" } };
        issuance.credential = credential(lease);
        return append(issuance);
    }
    RecordedCredential credential(std::string const& lease) const
    {
        return { .kind = "postgres_role",
            .id = "role_" + lease,
            .scope = "SELECT",
            .lease = lease,
            .expires = clock_.now() + std::chrono::hours(1) };
    }
    void revoke(std::string const& run, RecordedCredential const& ended, std::string const& reason)
    {
        auto revocation = record(RecordType::revocation, run);
        revocation.credential = ended;
        revocation.reason = reason;
        append(revocation);
    }

    using Found = std::vector<std::uint64_t>;
    Path folder_;
    ManualClock clock_ { from_unix_seconds(1'800'000'000) };
    tlog::NoteSigner signer_ { .name = "example.org/log", .key = crypto::PrivateKey::generate(crypto::KeyType::ed25519).value() };
    std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, questions_see_everything_acknowledged_before_them)
{
    for (std::uint64_t i = 0; i < 300; ++i) {
        ASSERT_EQ(decide("run-" + std::to_string(i % 3), i % 2 == 0), i);
        ASSERT_EQ(find({ .limit = 1 }), Found { i });
    }
    EXPECT_EQ(find({ .allowed = false, .run = "run-1", .before = 8 }), (Found { 7, 1 }));
    EXPECT_EQ(find({ .workload = "trainer", .resource = "Dataset::biopsies", .limit = 2 }), (Found { 299, 298 }));
    EXPECT_EQ(find({ .run = "run-9" }), Found {});
    EXPECT_EQ(find({ .limit = 5000 }).size(), 300U);
}

// The auditor's question: who could read these data, on what grounds, from when to when.
TEST_F(AuditLogTest, who_used_tells_each_use_from_its_decision_to_its_end)
{
    auto const began = clock_.now();
    auto const decision = decide("run-a", true);
    decide("run-denied", false);
    auto const issuance = issue("run-a", decision, "lease-a");
    auto const lease_a = credential("lease-a");
    auto const no_lease = issue("run-b", decide("run-b", true), "");

    auto uses = who_used("biopsies");
    ASSERT_EQ(uses.size(), 2U);
    EXPECT_EQ(uses[0].issuance, no_lease);
    EXPECT_EQ(uses[1].decision, decision);
    EXPECT_EQ(uses[1].issuance, issuance);
    EXPECT_EQ(uses[1].workload_name, "trainer");
    EXPECT_EQ(uses[1].claims[0].values, std::vector<std::string> { "1000" });
    EXPECT_EQ(uses[1].policies, std::vector<std::string> { "p1" });
    EXPECT_EQ(uses[1].from, began);
    EXPECT_EQ(uses[1].to, std::nullopt);
    EXPECT_EQ(uses[1].ended, "");

    clock_.advance(std::chrono::minutes(10));
    revoke("run-a", lease_a, "run ended");
    uses = who_used("biopsies");
    EXPECT_EQ(uses[1].to, began + std::chrono::minutes(10));
    EXPECT_EQ(uses[1].ended, "run ended");
    EXPECT_EQ(uses[0].to, std::nullopt);

    clock_.advance(std::chrono::minutes(50)); // nobody revokes what ends by itself
    uses = who_used("biopsies");
    EXPECT_EQ(uses[0].to, began + std::chrono::hours(1));
    EXPECT_EQ(uses[0].ended, "expired");
    EXPECT_TRUE(who_used("other").empty());
}

TEST_F(AuditLogTest, a_lease_revoked_after_it_expired_ended_when_it_expired)
{
    auto const began = clock_.now();
    issue("run-a", decide("run-a", true), "lease-a");
    auto const lease = credential("lease-a");
    clock_.advance(std::chrono::hours(5)); // the authority was away
    revoke("run-a", lease, "expired");
    EXPECT_EQ(who_used("biopsies")[0].to, began + std::chrono::hours(1));
}

TEST_F(AuditLogTest, a_record_is_proven_to_whoever_has_the_key)
{
    auto const sequence = decide("run-a", true);
    auto const proven = wait_for<ProvenRecord>([&](auto done) { log_->prove(sequence, std::move(done)); }).value();
    auto const checkpoint = tlog::verify_checkpoint(proven.checkpoint, signer_.verifier()).value();
    auto const leaf = tlog::leaf_hash(as_bytes(proven.stored.text));
    EXPECT_TRUE(tlog::verify_inclusion(leaf, sequence, checkpoint.size, proven.proof, checkpoint.root).is_ok());
    EXPECT_EQ(proven.stored.record.run, "run-a");
    auto const beyond = wait_for<ProvenRecord>([&](auto done) { log_->prove(sequence + 1, std::move(done)); });
    EXPECT_EQ(beyond.error().code, ErrorCode::not_found);
}

TEST_F(AuditLogTest, an_index_lost_damaged_or_of_another_log_is_built_from_the_log)
{
    for (int i = 0; i < 5; ++i)
        decide("run-a", true);
    Found const all { 4, 3, 2, 1, 0 };
    ASSERT_EQ(find({}), all);
    log_.reset();
    std::filesystem::remove(folder_ / "index.db");
    open();
    EXPECT_EQ(find({}), all);

    log_.reset();
    ASSERT_TRUE(replace_file(folder_ / "index.db", Bytes(20'000, 'x')).is_ok());
    open();
    EXPECT_EQ(find({}), all);

    log_.reset();
    std::filesystem::remove_all(folder_ / "log"); // the index is ahead now
    open();
    EXPECT_EQ(find({}), Found {});
    decide("run-b", true);
    EXPECT_EQ(find({}), Found { 0 });
}

TEST_F(AuditLogTest, an_entry_that_is_no_record_is_found_by_nobody_and_stops_nothing)
{
    log_.reset();
    {
        auto const log = tlog::Log::open({ .folder = folder_ / "log", .signer = signer_ }, clock_).value();
        wait_for<std::uint64_t>([&](auto done) { log->append(to_bytes("not a record"), std::move(done)); }).value();
    }
    open();
    EXPECT_EQ(find({}), Found {});
    EXPECT_EQ(decide("run-a", true), 1U);
    EXPECT_EQ(find({}), Found { 1 });
}

TEST_F(AuditLogTest, closing_answers_every_question)
{
    std::atomic<int> answered = 0;
    for (int i = 0; i < 100; ++i) {
        log_->append(record(RecordType::startup, ""), [&](Result<std::uint64_t> const&) { ++answered; });
        log_->query({}, [&](Result<std::vector<StoredRecord>> const&) { ++answered; });
        log_->prove(static_cast<std::uint64_t>(i), [&](Result<ProvenRecord> const&) { ++answered; });
    }
    log_.reset();
    EXPECT_EQ(answered, 300);
}

} // namespace
} // namespace writ::audit
