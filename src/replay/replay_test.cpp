// SPDX-License-Identifier: Apache-2.0
#include "replay/replay.h"

#include "base/random.h"
#include "replay/replay_fixture.h"
#include "replay/version_record.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::replay;

namespace {

constexpr auto readers = R"(@id("readers")
permit (principal in Pipeline::"classifier", action == Action::"read", resource is Dataset)
when { resource.purpose.contains(context.purpose) };
)";

std::vector<std::string> const names { "biopsies", "patients", "scans" };

// Decisions of `by`, one a minute.
std::vector<std::string> log_of(std::size_t count, Declared const& by, std::uint64_t seed = 1)
{
    std::vector<std::string> entries;
    auto state = seed;
    auto const next = [&state](std::uint64_t below) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        return (state >> 33U) % below;
    };
    for (std::size_t i = 0; i < count; ++i) {
        auto record = decision_record();
        record.time += std::chrono::minutes(i);
        record.run = "r" + std::to_string(i);
        record.resource->id = names[next(names.size())];
        record.purpose = next(2) == 0 ? "train" : "marketing";
        if (next(4) == 0) {
            record.workload_name = record.workload = "spiffe://example.org/notebook";
            record.pipeline = "exploration";
        }
        if (next(10) == 0)
            record.claims[0].values = { "root" };
        if (next(5) == 0)
            record.context = next(2) == 0 ? R"({"note":"x","posture":{}})" : R"({"note":{"x":[1,"\\"]},"posture":{"image_signed":true}})";
        if (next(20) == 0)
            record.team = "\"quoted\"";
        auto const recorded = recorded_request(record).value();
        decide_into(record, by, recorded.request, recorded.principal);
        entries.push_back(audit::to_json_text(record));
    }
    return entries;
}

Report replayed(LogInMemory const& log, Declared const& draft, Selection const& selection = {}, std::size_t workers = 1)
{
    cedar::Engine const engine(draft.policies, *draft.entities);
    return replay::replay(log, engine, selection, workers).value();
}

} // namespace

TEST(Replay, of_the_same_policies_changes_nothing)
{
    auto const today = declared(readers, names, {});
    auto const report = replayed(LogInMemory(log_of(1000, today)), today);
    EXPECT_EQ(report.decisions, 1000U);
    EXPECT_EQ(report.changed, 0U);
    EXPECT_TRUE(report.changes.empty() && report.unjudged.empty());
    EXPECT_LT(report.kinds, 40U); // run and time differ in each, and nobody asks for them
}

// Each record decided by itself with the plain evaluator must give what the report says.
TEST(Replay, counts_what_deciding_each_by_itself_counts)
{
    auto const today = declared(readers, names, {});
    auto const entries = log_of(2000, today, 7);
    LogInMemory const log(entries);
    for (auto const* draft_text : { "@id(\"none\") forbid (principal, action, resource);", R"(@id("root") permit (principal, action, resource)
                                     when { principal.hasTag("unix.user") && principal.getTag("unix.user").contains("root") };)",
             R"(@id("late") permit (principal, action, resource) when { context.time > datetime("2026-11-24T10:00:00Z") };)",
             R"(@id("run") permit (principal, action, resource) when { context.run like "*7" };)",
             R"(@id("note") permit (principal, action, resource) when { context has note && context.note == "x" };)",
             R"(@id("part") permit (principal, action, resource) when { context.note.x.contains("\\") && context.posture.image_signed };)",
             R"(@id("team") permit (principal, action, resource) when { principal.team == "\"quoted\"" };)",
             R"(@id("whole") permit (principal, action, resource) when { {c: context} == {c: context} };)" }) {
        auto const draft = declared(draft_text, names, {});
        std::uint64_t allowed = 0, denied = 0, others = 0;
        for (auto const& entry : entries) {
            auto record = audit::parse_record(entry).value();
            auto const before = record;
            auto const recorded = recorded_request(record).value();
            decide_into(record, draft, recorded.request, recorded.principal);
            allowed += *record.allowed && !*before.allowed;
            denied += !*record.allowed && *before.allowed;
            others += record.allowed == before.allowed && record.policies != before.policies;
        }
        for (std::size_t const workers : { 1U, 3U }) {
            auto const report = replayed(log, draft, {}, workers);
            EXPECT_EQ(report.count(ChangeKind::allowed), allowed) << draft_text;
            EXPECT_EQ(report.count(ChangeKind::denied), denied) << draft_text;
            EXPECT_EQ(report.count(ChangeKind::policies), others) << draft_text;
            EXPECT_EQ(report.changed, allowed + denied);
            EXPECT_EQ(report.other_policies, others);
        }
    }
}

TEST(Replay, groups_and_names_the_first_records)
{
    auto const today = declared(readers, names, {});
    auto const entries = log_of(600, today);
    auto const draft = declared(R"(@id("narrow") permit (principal, action == Action::"read", resource == Dataset::"biopsies")
        when { context.purpose == "train" && principal in Pipeline::"classifier" };)",
        names, {});
    auto const report = replayed(LogInMemory(entries), draft, {}, 2);
    std::uint64_t first = 0;
    while (true) {
        auto const record = audit::parse_record(entries[first]).value();
        if (record.resource->id == "patients" && *record.allowed)
            break;
        ++first;
    }
    ChangeKey const key { ChangeKind::denied, { "readers" }, {}, "read", { "Dataset", "patients" }, "trainer" };
    ASSERT_TRUE(report.changes.contains(key));
    auto const& change = report.changes.at(key);
    EXPECT_EQ(change.occurrences.examples.front(), first);
    EXPECT_EQ(change.occurrences.examples.size(), examples_max);
    ASSERT_FALSE(change.missing.empty());
    EXPECT_EQ(change.missing[0].fact, "resource");
}

TEST(Replay, takes_only_what_is_selected)
{
    auto const today = declared(readers, names, {});
    auto const entries = log_of(3000, today);
    LogInMemory const log(entries);
    auto const since = decision_record().time + std::chrono::minutes(2500);
    EXPECT_EQ(replayed(log, today, { .since = since }).decisions, 500U);
    EXPECT_LT(replayed(log, today, { .since = since }).records, 1024U); // earlier bundles are not read
    EXPECT_EQ(replayed(log, today, { .since = since + std::chrono::hours(1000) }).decisions, 0U);
    EXPECT_EQ(replayed(log, today, { .since = decision_record().time - std::chrono::hours(1) }).decisions, 3000U);
    auto const mine = replayed(log, today, { .since = {}, .workload = "trainer" }).decisions;
    auto const theirs = replayed(log, today, { .since = {}, .workload = "spiffe://example.org/notebook" }).decisions;
    EXPECT_GT(mine, 0U);
    EXPECT_GT(theirs, 0U);
    EXPECT_EQ(mine + theirs, 3000U);
}

TEST(Replay, says_what_it_could_not_judge)
{
    auto const today = declared(readers, names, {});
    auto entries = log_of(10, today);
    entries.push_back("no record");
    auto redacted = decision_record();
    redacted.context = R"({"note":"00"})";
    redacted.redacted = { "context.note" };
    entries.push_back(audit::to_json_text(redacted));
    audit::Record startup;
    startup.type = audit::RecordType::startup;
    entries.push_back(audit::to_json_text(startup));
    auto const draft = declared(R"(permit (principal, action, resource) when { context has note };)", names, {});
    auto const report = replayed(LogInMemory(entries), draft);
    EXPECT_EQ(report.records, 13U);
    EXPECT_EQ(report.decisions, 10U);
    ASSERT_EQ(report.unjudged.size(), 2U);
    EXPECT_EQ(report.unjudged.begin()->second, 1U);
    EXPECT_NE(report.unjudged.begin()->first.find("context.note"), std::string::npos);
}

TEST(Replay, ends_with_the_error_of_a_bundle_that_cannot_be_read)
{
    auto const today = declared(readers, names, {});
    cedar::Engine const engine(today.policies, *today.entities);
    class Broken final : public EntrySource {
    public:
        [[nodiscard]] std::uint64_t size() const override { return 1000; }
        [[nodiscard]] Result<Bytes> file(std::string const& path) const override { return path == "dropped" ? Result<Bytes>(not_found(path)) : Bytes(5); }
    };
    EXPECT_TRUE(replay::replay(Broken(), engine, {}, 2).is_error());
}

TEST(EntrySource, a_bundle_that_has_grown_full_meanwhile_is_read_as_far_as_the_checkpoint_went)
{
    class Grown final : public EntrySource {
    public:
        Grown() { for (int i = 0; i < 256; ++i) tlog::append_entry(full_, as_bytes("entry " + std::to_string(i))); }
        [[nodiscard]] std::uint64_t size() const override { return 3; }
        [[nodiscard]] Result<Bytes> file(std::string const& path) const override
        {
            return path == "tile/entries/000" ? Result<Bytes>(full_) : Result<Bytes>(not_found(path));
        }
        Bytes full_;
    };
    Grown const source;
    auto const bundle = read_bundle(source, 0).value();
    ASSERT_EQ(bundle.entries.size(), 3U);
    EXPECT_EQ(bundle.entries[2], "entry 2");
    EXPECT_EQ(read_entry(source, 1).value(), "entry 1");
    EXPECT_EQ(read_entry(source, 3).error().code, ErrorCode::not_found);
}

// The files of a log whose oldest records retention has dropped.
class LogThatDropped final : public EntrySource {
public:
    LogThatDropped(std::vector<std::string> const& entries, std::uint64_t first_kept)
        : all_(entries)
        , first_kept_(first_kept)
    {
    }
    [[nodiscard]] std::uint64_t size() const override { return all_.size(); }
    [[nodiscard]] Result<Bytes> file(std::string const& path) const override
    {
        if (path == "dropped")
            return to_bytes("entries before " + std::to_string(first_kept_) + " were dropped\n");
        auto const name = tlog::parse_tile_path(path);
        return name.is_ok() && name->index < first_kept_ / tlog::tile_width ? Result<Bytes>(not_found(path)) : all_.file(path);
    }

private:
    LogInMemory all_;
    std::uint64_t first_kept_;
};

TEST(Replay, decides_again_what_retention_has_left)
{
    auto const today = declared(readers, names, {});
    cedar::Engine const engine(today.policies, *today.entities);
    LogThatDropped const log(log_of(1000, today), 512);
    EXPECT_EQ(first_kept(log).value(), 512U);
    EXPECT_EQ(first_kept(LogInMemory(log_of(1, today))).value(), 0U);
    for (auto const& since : { std::optional<Timestamp>(), std::optional(parse_rfc3339("2026-01-01T00:00:00Z").value()) }) {
        auto const report = replay::replay(log, engine, { .since = since, .workload = "" }, 2).value();
        EXPECT_EQ(report.records, 488U);
        EXPECT_EQ(report.dropped_before, 512U);
        EXPECT_EQ(report.changed, 0U);
    }
    EXPECT_FALSE(find_version_record(log, 2, 1000).value());
    EXPECT_EQ(read_entry(log, 3).error().code, ErrorCode::not_found);
}

TEST(EntrySource, what_retention_drops_while_it_is_read_is_left_out)
{
    auto const today = declared(readers, names, {});
    LogThatDropped const log(log_of(600, today), 256);
    std::uint64_t seen = 0;
    auto const visited = visit_bundles(log, 0, 1, [&](std::size_t, Bundle const& bundle) -> Result<> {
        seen += bundle.entries.size();
        return {};
    });
    EXPECT_TRUE(visited.is_ok());
    EXPECT_EQ(seen, 600U - 256U);
}

TEST(FindVersionRecord, finds_the_last_one_before)
{
    auto const today = declared(readers, names, {});
    auto entries = log_of(600, today);
    audit::Record applied;
    applied.type = audit::RecordType::administration;
    applied.declarations = audit::RecordedDeclarations { 2, "first" };
    entries[10] = audit::to_json_text(applied);
    applied.declarations->digest = "second"; // the first was on record and could not be stored
    entries[300] = audit::to_json_text(applied);
    LogInMemory const log(entries);
    EXPECT_EQ(find_version_record(log, 2, 600).value()->sequence, 300U);
    EXPECT_EQ(find_version_record(log, 2, 300).value()->digest, "first");
    EXPECT_FALSE(find_version_record(log, 2, 10).value());
    EXPECT_FALSE(find_version_record(log, 3, 600).value());
}
