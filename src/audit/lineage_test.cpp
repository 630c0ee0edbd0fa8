// SPDX-License-Identifier: Apache-2.0
#include "audit/answers.h"

#include <gtest/gtest.h>

namespace writ::audit {
namespace {

// Records in memory, and an index over them: the questions without a log's machinery.
class Told final : public RecordSource {
public:
    [[nodiscard]] std::uint64_t size() const override { return texts.size(); }
    [[nodiscard]] std::uint64_t first_kept() const override { return dropped; }
    [[nodiscard]] Result<Bytes> read(std::uint64_t sequence) const override
    {
        if (sequence >= texts.size() || sequence < dropped)
            return not_found("no such record");
        return to_bytes(texts[sequence]);
    }
    [[nodiscard]] Result<std::string> checkpoint() const override
    {
        return "acme.ai/log\n" + std::to_string(texts.size()) + "\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n— acme.ai/log AAAAAAAA\n";
    }
    std::vector<std::string> texts;
    std::uint64_t dropped = 0; // by retention
};

// fraud@7 was made by run-a of two data sets, is loaded by a scorer, and is called by two services; fraud@8 was made by run-b of another.
class LineageTest : public testing::Test {
protected:
    LineageTest()
    {
        decide("trainer", "run-a", "read", { "Dataset", "labels", "3", "" });
        decide("trainer", "run-a", "train", { "DatasetVersion", "transactions@2", "2", "" });
        decide("trainer", "run-a", "sign", { "ModelVersion", "fraud@7", "7", "sha256:77" });
        decide("trainer", "run-b", "train", { "Dataset", "patients", "", "" }).model = RecordedEntity { "ModelVersion", "fraud@8", "8", "" };
        tell();
        decide("trainer", "run-b", "promote", { "ModelVersion", "fraud@8", "8", "" });
        decide("server", "", "load", { "ModelVersion", "fraud@7", "", "" }).endpoint = "scorer";
        tell();
        for (auto const* caller : { "billing", "shop" }) {
            decide(caller, "", "infer", { "Endpoint", "scorer", "", "" }).model = RecordedEntity { "ModelVersion", "fraud@7", "7", "" };
            tell();
        }
        decide("shop", "", "infer", { "Endpoint", "scorer", "", "" }).model = RecordedEntity { "ModelVersion", "fraud@7", "7", "" };
        tell();
        decide("old-shop", "", "infer", { "Endpoint", "scorer", "", "" }); // does not say which model
        decide("stranger", "", "infer", { "Endpoint", "scorer", "", "" }).allowed = false;
        tell();
        decide("other", "", "infer", { "Endpoint", "scorer", "", "" }).model = RecordedEntity { "ModelVersion", "fraud@6", "6", "" };
        tell();
    }

    // Told with the next one, so that more can be said of it.
    Record& decide(std::string const& workload, std::string const& run, std::string const& action, RecordedEntity const& resource)
    {
        if (open_)
            tell();
        open_ = Record {};
        open_->time = clock_.now();
        open_->workload = "spiffe://acme.ai/" + workload;
        open_->workload_name = workload;
        open_->run = run;
        open_->purpose = "p";
        open_->action = action;
        open_->resource = resource;
        open_->allowed = true;
        clock_.advance(std::chrono::minutes(1));
        return *open_;
    }
    void tell()
    {
        if (!open_)
            return;
        records_.texts.push_back(to_json_text(*open_));
        open_.reset();
        ASSERT_TRUE(scanner_.scan(records_.texts.back(), scanned_));
        ASSERT_TRUE(index_->add(&scanned_).is_ok());
    }

    ManualClock clock_ { from_unix_seconds(1'800'000'000) };
    Told records_;
    std::unique_ptr<Index> index_ = Index::open(":memory:").value();
    RecordScanner scanner_;
    ScannedRecord scanned_;
    std::optional<Record> open_;
    Questions questions_ { *index_, records_, clock_ };
};

std::vector<std::string> resources_of(std::vector<Use> const& uses)
{
    std::vector<std::string> ids;
    for (auto const& use : uses)
        ids.push_back(use.resource.id);
    return ids;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_F(LineageTest, a_version_is_traced_to_its_data_and_its_callers)
{
    auto const trace = trace_model(questions_, "fraud@7").value();
    EXPECT_FALSE(trace.is_cut);
    ASSERT_EQ(trace.models.size(), 1U);
    auto const& model = trace.models[0];
    EXPECT_EQ(model.name + "@" + model.version + " " + model.digest, "fraud@7 sha256:77");
    ASSERT_EQ(model.runs.size(), 1U);
    EXPECT_EQ(model.runs[0].run, "run-a");
    EXPECT_EQ(model.runs[0].actions, Texts { "sign" });
    ASSERT_EQ(model.runs[0].data.size(), 2U);
    EXPECT_EQ(model.runs[0].data[0].resource.id, "transactions@2");
    EXPECT_EQ(model.runs[0].data[1].resource.id, "labels");
    ASSERT_EQ(model.endpoints.size(), 1U);
    EXPECT_EQ(model.endpoints[0].name, "scorer");
    EXPECT_EQ(model.endpoints[0].loaded_by, "spiffe://acme.ai/server");
    std::map<std::string, std::uint64_t> calls;
    for (auto const& caller : model.endpoints[0].callers)
        calls[caller.workload_name] = caller.calls;
    EXPECT_EQ(calls, (std::map<std::string, std::uint64_t> { { "billing", 1 }, { "old-shop", 1 }, { "shop", 2 } }));
}

TEST_F(LineageTest, a_name_is_traced_in_all_its_versions)
{
    auto const trace = trace_model(questions_, "fraud").value();
    Texts versions;
    for (auto const& model : trace.models)
        versions.push_back(model.version);
    EXPECT_EQ(versions, (Texts { "6", "7", "8" }));
    auto const& made = trace.models[2].runs;
    ASSERT_EQ(made.size(), 1U);
    EXPECT_EQ(made[0].actions, (Texts { "promote", "train" })); // trained with it in play: made of it
    ASSERT_EQ(made[0].data.size(), 1U);
    EXPECT_EQ(made[0].data[0].resource.id, "patients");
    EXPECT_TRUE(trace_model(questions_, "fraud@9").value().models.empty());
    EXPECT_TRUE(trace_model(questions_, "labels").value().models.empty()); // a data set is no model
}

TEST_F(LineageTest, uses_are_found_from_both_ends)
{
    EXPECT_EQ(questions_.who_used("Dataset", "transactions", {}).value().uses.size(), 1U);
    EXPECT_EQ(questions_.who_used("Dataset", "transactions@2", {}).value().uses.size(), 1U);
    EXPECT_TRUE(questions_.who_used("Dataset", "transactions@3", {}).value().uses.empty());
    EXPECT_TRUE(questions_.who_used("Model", "transactions", {}).value().uses.empty());
    EXPECT_EQ(questions_.who_used("Endpoint", "scorer", {}).value().uses.size(), 5U); // the load among them, the stranger's denial not
    EXPECT_EQ(resources_of(questions_.what_run_used("run-a", {}).value().uses), (Texts { "fraud@7", "transactions@2", "labels" }));
    EXPECT_EQ(questions_.what_workload_used("trainer", {}).value().uses.size(), 5U);
    EXPECT_EQ(questions_.what_workload_used("spiffe://acme.ai/trainer", {}).value().uses.size(), 5U);
    auto const model = questions_.what_model_used("fraud@7", {}).value();
    EXPECT_EQ(resources_of(model.used.uses), (Texts { "transactions@2", "labels" }));
    EXPECT_EQ(model.used_by.uses.size(), 4U); // signed, loaded, called by two
    auto const shop = questions_.what_workload_used("shop", {}).value().uses;
    ASSERT_EQ(shop.size(), 1U);
    EXPECT_EQ(shop[0].count, 2U);
    EXPECT_LT(shop[0].from, *shop[0].to);
}

// A record of many decisions is as many as it has.
TEST_F(LineageTest, a_batch_is_told_by_its_items)
{
    auto& batch = decide("trainer", "run-c", "read", {});
    batch.resource.reset();
    batch.allowed.reset();
    batch.items = R"([{"type":"Dataset","decision":"allow","policies":["p1"]},"lake/1",{"type":"Dataset","decision":"deny"},"lake/2",0,"lake/4",)"
                  R"({"type":"DatasetVersion","decision":"allow","policies":["p2"]},{"id":"lake/3@2","digest":"sha256:aa"}])";
    tell();
    EXPECT_EQ(questions_.who_used("Dataset", "lake/1", {}).value().uses.at(0).policies, Texts { "p1" });
    EXPECT_TRUE(questions_.who_used("Dataset", "lake/2", {}).value().uses.empty());
    EXPECT_EQ(resources_of(questions_.who_used("Dataset", "lake/3", {}).value().uses), Texts { "lake/3@2" });
    EXPECT_EQ(questions_.what_run_used("run-c", {}).value().uses.size(), 3U);
    EXPECT_FALSE(questions_.never("lake/2", std::nullopt).value().last_use);
    EXPECT_EQ(questions_.never("lake/2", std::nullopt).value().denied, 1U);
    EXPECT_TRUE(questions_.never("lake/1", std::nullopt).value().last_use);
    RecordFilter filter;
    filter.resource = "lake/2";
    filter.allowed = true; // another of its items is
    EXPECT_TRUE(questions_.find(filter).value().empty());
    filter.allowed = false;
    EXPECT_EQ(questions_.find(filter).value().size(), 1U);
}

// A gateway that asks for others is believed in nothing; whoever asks is not believed about what else is in play.
TEST_F(LineageTest, what_nobody_but_the_caller_says_is_told_as_that)
{
    auto& own = decide("trainer", "run-d", "read", { "Dataset", "cohort", "", "" });
    own.caller = own.workload;
    tell();
    for (auto const* caller : { "gateway", "other-gateway", "gateway" }) { // of the same, later: it hides nothing, and is not hidden
        auto& said = decide("trainer", "run-d", "read", { "Dataset", "cohort", "", "" });
        said.caller = std::string("spiffe://acme.ai/") + caller;
        said.asserted = { "workload" };
        tell();
    }
    auto& more = decide("trainer", "run-e", "read", { "Dataset", "cohort", "", "" });
    more.caller = more.workload;
    more.datasets = { { "Dataset", "rumours", "", "" } };
    more.asserted = { "datasets" };
    tell();

    auto const uses = questions_.who_used("Dataset", "cohort", {}).value().uses;
    ASSERT_EQ(uses.size(), 4U);
    EXPECT_TRUE(uses[0].is_attested); // what it says of something else takes nothing from it
    EXPECT_EQ(uses[0].asserted, Texts { "datasets" });
    EXPECT_EQ(uses[1].caller + " " + std::to_string(uses[1].count), "spiffe://acme.ai/gateway 2");
    EXPECT_EQ(uses[2].caller + " " + std::to_string(uses[2].count), "spiffe://acme.ai/other-gateway 1");
    EXPECT_FALSE(uses[1].is_attested || uses[2].is_attested);
    EXPECT_TRUE(uses[3].is_attested && uses[3].asserted.empty());
    EXPECT_EQ(uses[3].count, 1U);
    UseQuery query;
    query.attested = true;
    EXPECT_EQ(questions_.who_used("Dataset", "cohort", query).value().uses.size(), 2U);
    EXPECT_TRUE(questions_.who_used("Dataset", "rumours", query).value().uses.empty());
    EXPECT_EQ(questions_.who_used("Dataset", "rumours", {}).value().uses.size(), 1U);
    EXPECT_EQ(questions_.what_run_used("run-d", query).value().uses.size(), 1U);
    RecordFilter filter;
    filter.resource = "cohort";
    EXPECT_EQ(questions_.find(filter).value().size(), 5U);
    filter.attested = true;
    EXPECT_EQ(questions_.find(filter).value().size(), 1U);
}

TEST_F(LineageTest, absence_tells_what_is_only_asserted_and_finds_what_is_attested_behind_it)
{
    auto& own = decide("trainer", "run-d", "read", { "Dataset", "cohort", "", "" });
    own.caller = own.workload;
    tell();
    auto const say = [this](std::string const& dataset, std::string const& purpose) {
        auto& said = decide("trainer", "", "read", { "Dataset", dataset, "", "" });
        said.caller = "spiffe://acme.ai/gateway";
        said.asserted = { "workload" };
        said.purpose = purpose;
        tell();
    };
    for (std::size_t i = 0; i < records_max + 5; ++i)
        say("cohort", std::to_string(i));
    say("rumours", "p");
    say("rumours", "q");

    auto const used = questions_.never("cohort", std::nullopt).value();
    ASSERT_TRUE(used.last_use);
    EXPECT_EQ(used.last_use->record.run, "run-d");
    EXPECT_FALSE(used.is_never());
    for (bool const attested_alone : { false, true }) {
        auto const said = questions_.never("rumours", std::nullopt, attested_alone).value();
        EXPECT_EQ(said.is_never(), attested_alone);
        EXPECT_FALSE(said.last_use);
        EXPECT_EQ(said.asserted, 2U);
        ASSERT_TRUE(said.last_asserted);
        EXPECT_EQ(said.last_asserted->record.purpose, "q");
    }
    EXPECT_EQ(questions_.never("secrets", std::nullopt).value().asserted, 0U);
}

TEST_F(LineageTest, a_trace_tells_asserted_edges_from_attested_ones)
{
    auto& made = decide("trainer", "run-f", "sign", { "ModelVersion", "churn@1", "1", "" });
    made.datasets = { { "Dataset", "rumours", "", "" } };
    made.caller = made.workload;
    made.asserted = { "datasets" };
    auto& claimed = decide("rival", "run-g", "sign", { "ModelVersion", "churn@1", "1", "" });
    claimed.caller = "spiffe://acme.ai/gateway";
    claimed.asserted = { "workload" };
    auto& loaded = decide("server", "", "load", { "ModelVersion", "churn@1", "1", "" });
    loaded.caller = loaded.workload;
    loaded.endpoint = "oracle";
    loaded.asserted = { "endpoint" };
    auto& called = decide("shop", "", "infer", { "Endpoint", "oracle", "", "" });
    called.caller = "spiffe://acme.ai/gateway";
    called.model = RecordedEntity { "ModelVersion", "churn@1", "1", "" };
    called.asserted = { "workload", "model" };
    tell();

    auto const whole = trace_model(questions_, "churn@1").value().models.at(0);
    ASSERT_EQ(whole.runs.size(), 2U);
    EXPECT_EQ(whole.runs[0].run + " " + whole.runs[0].ground.caller, "run-g spiffe://acme.ai/gateway");
    EXPECT_TRUE(whole.runs[1].ground.is_attested);
    ASSERT_EQ(whole.runs[1].data.size(), 1U);
    EXPECT_EQ(whole.runs[1].data[0].ground.caller, "spiffe://acme.ai/trainer");
    ASSERT_EQ(whole.endpoints.size(), 1U);
    EXPECT_EQ(whole.endpoints[0].name + " " + whole.endpoints[0].ground.caller, "oracle spiffe://acme.ai/server");
    ASSERT_EQ(whole.endpoints[0].callers.size(), 1U);
    EXPECT_FALSE(whole.endpoints[0].callers[0].ground.is_attested);

    auto const attested = trace_model(questions_, "churn@1", true).value().models.at(0);
    ASSERT_EQ(attested.runs.size(), 1U);
    EXPECT_EQ(attested.runs[0].run, "run-f");
    EXPECT_TRUE(attested.runs[0].data.empty());
    ASSERT_EQ(attested.endpoints.size(), 1U);
    EXPECT_EQ(attested.endpoints[0].name, "server"); // for what it loaded it is its own word
    EXPECT_TRUE(attested.endpoints[0].ground.is_attested && attested.endpoints[0].callers.empty());
}

// These purposes were made for these workloads, so that a hash that folds texts one after another forgets what came before.
TEST_F(LineageTest, no_use_hides_another_by_names_that_were_made_for_it)
{
    for (auto const& [workload, purpose] : { std::pair("w3697", "9f,_;9E,"), std::pair("w4102", ">,x)lJZV") }) {
        decide(workload, "", "read", { "Dataset", "cohort", "", "" }).purpose = purpose;
        tell();
    }
    EXPECT_EQ(questions_.who_used("Dataset", "cohort", {}).value().uses.size(), 2U);
    EXPECT_EQ(questions_.what_workload_used("w3697", {}).value().uses.size(), 1U);
}

TEST_F(LineageTest, pages_go_on_where_the_last_one_ended)
{
    Texts seen;
    UseQuery query { .limit = 2 };
    for (int page = 0; page < 3; ++page) {
        auto const answer = questions_.what_workload_used("trainer", query).value();
        for (auto const& id : resources_of(answer.uses))
            seen.push_back(id);
        EXPECT_EQ(answer.next.has_value(), page < 2);
        query.before = answer.next;
    }
    EXPECT_EQ(seen, (Texts { "fraud@8", "patients", "fraud@7", "transactions@2", "labels" }));
}

TEST_F(LineageTest, absence_is_said_of_a_named_tree)
{
    auto const never = questions_.never("secrets", std::nullopt).value();
    EXPECT_FALSE(never.last_use);
    EXPECT_EQ(never.size, records_.size());
    EXPECT_EQ(never.root, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    auto const used = questions_.never("transactions", std::nullopt).value();
    ASSERT_TRUE(used.last_use);
    EXPECT_EQ(used.last_use->record.run, "run-a");
    // After its last use it was never used; a minute before that it was.
    auto const last = used.last_use->record.time;
    EXPECT_TRUE(questions_.never("transactions", last).value().last_use);
    EXPECT_FALSE(questions_.never("transactions", last + Duration(1)).value().last_use);
    EXPECT_TRUE(questions_.never("scorer", std::nullopt).value().last_use);
    EXPECT_EQ(questions_.never("scorer", std::nullopt).value().denied, 1U);
    EXPECT_TRUE(questions_.never("fraud@8", std::nullopt).value().last_use); // in play counts
}

// Twins: the same story with one record altered does not tell the same.
TEST_F(LineageTest, what_is_not_what_was_indexed_is_not_told)
{
    for (auto& text : records_.texts) {
        if (auto const at = text.find("transactions"); at != std::string::npos)
            text.replace(at, 12, "Transactions");
    }
    EXPECT_TRUE(questions_.who_used("Dataset", "transactions", {}).value().uses.empty());
    records_.texts[1] = "not a record";
    EXPECT_EQ(questions_.what_run_used("run-a", {}).value().uses.size(), 2U);
}

TEST_F(LineageTest, what_was_dropped_is_not_told_as_if_it_were_proven)
{
    auto const ask = [&](std::string const& question, std::map<std::string, std::string, std::less<>> const& given) {
        return answer(questions_, question, [&given](std::string_view name) -> std::optional<std::string> {
            auto const found = given.find(name);
            return found == given.end() ? std::nullopt : std::optional(found->second);
        }, clock_.now()).value();
    };
    EXPECT_FALSE(ask("who-used", { { "type", "dataset" }, { "id", "labels" } }).contains("dropped_before"));
    EXPECT_FALSE(ask("never", { { "name", "unheard-of" } }).contains("proven_since"));

    records_.dropped = 2; // who read `labels`, and who trained on `transactions@2`
    auto const page = ask("who-used", { { "type", "dataset" }, { "id", "labels" } });
    EXPECT_TRUE(page.at("uses").as_array().empty());
    EXPECT_EQ(page.at("dropped_before").to_number<std::uint64_t>(), 2U);
    EXPECT_EQ(page.at("dropped_uses").to_number<std::uint64_t>(), 1U);
    auto const kept = ask("who-used", { { "type", "dataset" }, { "id", "patients" } });
    EXPECT_EQ(kept.at("uses").as_array().size(), 1U);
    EXPECT_FALSE(kept.contains("dropped_uses"));

    // Absence is said of what is left alone.
    auto const absence = ask("never", { { "name", "labels" } });
    EXPECT_TRUE(absence.at("never").as_bool());
    auto const since = parse_rfc3339(absence.at("proven_since").as_string()).value();
    EXPECT_EQ(since, parse_record(records_.texts.at(2))->time);
    EXPECT_FALSE(ask("never", { { "name", "labels" }, { "since", to_rfc3339(since) } }).contains("proven_since"));
    EXPECT_TRUE(ask("never", { { "name", "labels" }, { "since", to_rfc3339(since - std::chrono::seconds(1)) } }).contains("proven_since"));
}

TEST_F(LineageTest, filters_are_read_and_checked)
{
    auto const ask = [&](std::map<std::string, std::string, std::less<>> const& given) {
        return answer(questions_, "records", [&given](std::string_view name) -> std::optional<std::string> {
            auto const found = given.find(name);
            return found == given.end() ? std::nullopt : std::optional(found->second);
        }, clock_.now());
    };
    auto const count = [&](std::map<std::string, std::string, std::less<>> const& given) { return ask(given).value().at("records").as_array().size(); };
    EXPECT_EQ(count({}), records_.size());
    EXPECT_EQ(count({ { "decision", "deny" } }), 1U);
    EXPECT_EQ(count({ { "run", "run-a" }, { "purpose", "p" } }), 3U);
    EXPECT_EQ(count({ { "resource", "Model::fraud" } }), 3U);
    EXPECT_EQ(count({ { "resource", "fraud@7" } }), 2U);
    EXPECT_EQ(count({ { "since", "150s" } }), 2U);
    EXPECT_EQ(count({ { "since", to_rfc3339(clock_.now() - std::chrono::seconds(150)) }, { "until", "90s" } }), 1U);
    auto const page = ask({ { "limit", "5" } }).value();
    EXPECT_EQ(page.at("next").to_number<std::uint64_t>(), records_.size() - 5);
    auto const followed = ask({ { "from", "2" }, { "limit", "3" } }).value();
    EXPECT_EQ(followed.at("records").as_array().front().as_object().at("sequence").to_number<std::uint64_t>(), 2U);
    EXPECT_EQ(followed.at("next").to_number<std::uint64_t>(), 5U);
    EXPECT_EQ(ask({ { "from", "100" } }).value().at("next").to_number<std::uint64_t>(), 100U);
    for (auto const& [name, value] : std::vector<std::pair<std::string, std::string>> { { "decision", "maybe" }, { "type", "x" }, { "limit", "1001" },
             { "limit", "-1" }, { "since", "yesterday" }, { "until", "5 m" }, { "before", "x" }, { "since", "99999999w" } })
        EXPECT_EQ(ask({ { name, value } }).error().code, ErrorCode::invalid_argument) << name << " " << value;
}

} // namespace writ::audit
