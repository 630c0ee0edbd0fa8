// SPDX-License-Identifier: Apache-2.0
#include "replay/suggestion.h"

#include "replay/replay_fixture.h"

#include <gtest/gtest.h>
#include <set>

using namespace writ;
using namespace writ::replay;

namespace {

class Chance {
public:
    explicit Chance(std::uint64_t seed)
        : state_(seed * 2 + 1)
    {
    }
    std::uint64_t below(std::uint64_t bound)
    {
        state_ = state_ * 6364136223846793005U + 1442695040888963407U;
        return (state_ >> 33U) % bound;
    }
    template <typename List> auto const& of(List const& list) { return list[below(std::size(list))]; }

private:
    std::uint64_t state_;
};

std::vector<std::string> const names { "a", "b", "c", "d" };
std::vector<std::string> const actions { "read", "write", "train" };
std::vector<std::string> const purposes { "train", "evaluate", "marketing", "" };
std::vector<DeclaredWorkload> const workloads { { "trainer", "classifier", "oncology" }, { "evaluator", "classifier", "oncology" },
    { "notebook", "exploration", "oncology" }, { "stranger", "sales", "retail" } };

audit::Record record_of(DeclaredWorkload const& workload, std::string const& action, std::string const& dataset, std::string const& purpose)
{
    auto record = decision_record();
    record.workload_name = workload.name;
    record.workload = "spiffe://example.org/" + workload.name;
    record.pipeline = workload.pipeline;
    record.team = workload.team;
    record.action = action;
    record.resource->id = dataset;
    record.purpose = purpose;
    return record;
}

bool is_allowed(audit::Record record, Declared const& by)
{
    auto const recorded = recorded_request(record).value();
    decide_into(record, by, recorded.request, recorded.principal);
    return *record.allowed;
}

std::string random_policies(Chance& chance)
{
    std::vector<std::string> const principals { "principal", R"(principal in Team::"oncology")", R"(principal in Pipeline::"classifier")",
        R"(principal == Workload::"spiffe://example.org/trainer")", "principal is Workload", R"(principal is Workload in Team::"retail")" };
    std::vector<std::string> const action_scopes { "action == Action::\"read\"", R"(action in [Action::"read", Action::"write"])",
        R"(action in [Action::"read", Action::"write", Action::"train", Action::"evaluate"])" };
    std::vector<std::string> const resources { "resource is Dataset", R"(resource == Dataset::"a")", R"(resource in Dataset::"b")" };
    std::vector<std::string> const conditions { "", "when { resource.purpose.contains(context.purpose) }",
        "when { context.time < datetime(\"2026-11-23T21:00:00Z\") } // office hours\n", "unless { context.purpose == \"marketing\" }",
        R"(when { principal.hasTag("unix.user") && principal.getTag("unix.user").contains("ml") })" };
    std::string text = "// Today's.\n";
    for (std::uint64_t i = 0, count = 1 + chance.below(5); i < count; ++i)
        text += "\n// About policy " + std::to_string(i) + ".\n@id(\"p" + std::to_string(i) + "\") @why(\"it is so\")\n"
            + (chance.below(6) == 0 ? "forbid" : "permit") + " (" + chance.of(principals) + ", " + chance.of(action_scopes) + ", "
            + chance.of(resources) + ")\n" + chance.of(conditions) + "; // end\n";
    return text;
}

std::vector<audit::Record> random_records(Chance& chance, Declared const& today)
{
    std::vector<audit::Record> records;
    for (std::uint64_t i = 0, count = 1 + chance.below(40); i < count; ++i) {
        auto record = record_of(chance.of(workloads), chance.of(actions), chance.of(names), chance.of(purposes));
        record.time += std::chrono::minutes(4 * i);
        auto const recorded = recorded_request(record).value();
        decide_into(record, today, recorded.request, recorded.principal);
        records.push_back(record);
    }
    return records;
}

LogInMemory log_of(std::vector<audit::Record> const& records)
{
    std::vector<std::string> entries;
    for (auto const& record : records)
        entries.push_back(audit::to_json_text(record));
    return LogInMemory(entries);
}

Declared with(Declared declared, Suggestion const& suggestion)
{
    declared.sources = { { suggestion.files[0].path, suggestion.files[0].text } };
    declared.policies = policies(suggestion.files[0].text);
    return declared;
}

constexpr auto team_reads = R"(// The team reads.
@id("team")
permit (principal in Team::"oncology", action in [Action::"read", Action::"write"], resource is Dataset)
when { resource.purpose.contains(context.purpose) }; // for declared purposes

// Nobody has asked for this.
@id("trainer-writes")
permit (principal == Workload::"spiffe://example.org/trainer", action == Action::"write", resource == Dataset::"d");
)";

} // namespace

TEST(Suggestion, narrows_what_was_used_and_closes_what_was_not)
{
    auto const today = declared(team_reads, names, workloads);
    std::vector<audit::Record> records { record_of(workloads[0], "read", "a", "train"), record_of(workloads[0], "read", "a", "evaluate"),
        record_of(workloads[2], "read", "b", "train") };
    for (auto& record : records)
        record.policies = { "team" };
    auto const suggestion = suggest(log_of(records), today, { .since = {}, .workload = "trainer" }).value();
    EXPECT_EQ(suggestion.files[0].text, R"(// The team reads.
@id("team")
permit (principal in Team::"oncology", action in [Action::"read", Action::"write"], resource is Dataset)
when { resource.purpose.contains(context.purpose) }
unless { principal.name == "trainer" };

@id("team/trainer/1")
permit (principal in Team::"oncology", action == Action::"read", resource == Dataset::"a")
when { principal.name == "trainer" && ["evaluate", "train"].contains(context.purpose) }
when { resource.purpose.contains(context.purpose) }; // for declared purposes

// Nobody has asked for this.
)");
    ASSERT_EQ(suggestion.permits.size(), 2U);
    EXPECT_EQ(suggestion.permits[0].kind, PermitAdvice::Kind::narrowed);
    EXPECT_EQ(suggestion.permits[1].kind, PermitAdvice::Kind::removed);
    EXPECT_EQ(suggestion.files[0].difference, R"(--- policies.cedar
+++ policies.cedar
@@ -3,0 +4,6 @@
+when { resource.purpose.contains(context.purpose) }
+unless { principal.name == "trainer" };
+
+@id("team/trainer/1")
+permit (principal in Team::"oncology", action == Action::"read", resource == Dataset::"a")
+when { principal.name == "trainer" && ["evaluate", "train"].contains(context.purpose) }
@@ -7,2 +12,0 @@
-@id("trainer-writes")
-permit (principal == Workload::"spiffe://example.org/trainer", action == Action::"write", resource == Dataset::"d");
)");
}

TEST(Suggestion, for_one_id_names_it_in_the_scope)
{
    auto const today = declared(team_reads, names, workloads);
    auto used = record_of(workloads[0], "read", "a", "train");
    used.policies = { "team" };
    auto const suggestion = suggest(log_of({ used }), today, { .since = {}, .workload = "spiffe://example.org/trainer" }).value();
    EXPECT_NE(suggestion.files[0].text.find(R"(permit (principal == Workload::"spiffe://example.org/trainer", action == Action::"read", resource == Dataset::"a")
when { principal in Team::"oncology" && context.purpose == "train" })"),
        std::string::npos)
        << suggestion.files[0].text;
}

TEST(Suggestion, needs_something_to_go_by)
{
    auto const today = declared(team_reads, names, workloads);
    auto const log = log_of({ record_of(workloads[0], "read", "a", "train") });
    EXPECT_EQ(suggest(log, today, { .since = {}, .workload = "nobody" }).error().code, ErrorCode::not_found);
    EXPECT_EQ(
        suggest(log, today, { .since = decision_record().time + std::chrono::hours(1), .workload = "trainer" }).error().code, ErrorCode::not_found);
}

TEST(Suggestion, gives_nothing_back_that_was_withdrawn)
{
    auto const today = declared("forbid (principal, action, resource);", names, workloads);
    auto used = record_of(workloads[0], "read", "a", "train");
    auto const suggestion = suggest(log_of({ used }), today, { .since = {}, .workload = "trainer" }).value();
    EXPECT_FALSE(suggestion.changes_anything());
    EXPECT_EQ(suggestion.usage.lost.size(), 1U);
}

// Every possible request is looked at: for the workload exactly what it used stays, for the others everything.
TEST(Suggestion, allows_what_was_used_and_nothing_else)
{
    std::size_t suggested = 0;
    for (std::uint64_t seed = 0; seed < 80; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Chance chance(seed);
        auto const text = random_policies(chance);
        auto const today = declared(text, names, workloads);
        auto const records = random_records(chance, today);
        auto const log = log_of(records);
        auto const found = suggest(log, today, { .since = {}, .workload = "trainer" });
        if (found.is_error() && found.error().code == ErrorCode::not_found)
            continue;
        ASSERT_TRUE(found.is_ok()) << found.error().message << "\n" << text;
        auto const then = with(today, *found);
        suggested += found->changes_anything();
        std::set<UseKey> used;
        for (auto const& record : records) {
            EXPECT_EQ(is_allowed(record, then), *record.allowed) << text << found->files[0].text << audit::to_json_text(record);
            if (*record.allowed && record.workload_name == "trainer")
                used.insert({ record.action, { "Dataset", record.resource->id }, record.purpose });
        }
        for (auto const& workload : workloads)
            for (auto const& action : actions)
                for (auto const& name : names)
                    for (auto const& purpose : purposes) {
                        auto const record = record_of(workload, action, name, purpose);
                        bool const may = is_allowed(record, today)
                            && (workload.name != "trainer" || used.contains({ action, { "Dataset", name }, purpose }));
                        // At another time than it was used, a use may have had another reason.
                        if (workload.name == "trainer" && text.find("context.time") != std::string::npos)
                            EXPECT_LE(is_allowed(record, then), may) << text << found->files[0].text << audit::to_json_text(record);
                        else
                            EXPECT_EQ(is_allowed(record, then), may) << text << found->files[0].text << audit::to_json_text(record);
                    }
        auto const again = suggest(log, then, { .since = {}, .workload = "trainer" });
        ASSERT_TRUE(again.is_ok());
        EXPECT_FALSE(again->changes_anything()) << found->files[0].text << again->files[0].text;
        EXPECT_EQ(suggest(log, today, { .since = {}, .workload = "trainer" })->files[0].text, found->files[0].text);
    }
    EXPECT_GT(suggested, 20U);
}
