// SPDX-License-Identifier: Apache-2.0
#include "replay/explanation.h"

#include "replay/recorded_request.h"
#include "replay/replay_fixture.h"

#include <gtest/gtest.h>
#include <map>

using namespace writ;
using namespace writ::replay;

namespace {

constexpr auto readers = R"(@id("readers")
permit (principal in Pipeline::"classifier", action == Action::"read", resource is Dataset)
when { resource.purpose.contains(context.purpose) };
)";

VersionRecord const in_force { 3, "00" };

// Of a record of one decision, by way of its text.
struct One : DecisionAgain {
    std::vector<std::string> contradictions;
    std::optional<std::uint64_t> version_record;
};
Result<One> explain(audit::Record const& record, Declared const& declared, std::optional<VersionRecord> const& version_record)
{
    auto const explained = TRY(replay::explain(audit::to_json_text(record), declared, version_record));
    return One { explained.decisions.at(0), explained.contradictions, explained.version_record };
}

Declared of(std::string const& text) { return declared(text, { "biopsies" }, {}); }

// A policy that asks for what the caller sent, beyond the schema: the engine does not mind.
constexpr auto asks_for_note = R"(@id("readers") permit (principal, action, resource) when { context has note && context.note == "x" };)";

} // namespace

TEST(RecordedRequest, is_the_request_that_was_decided)
{
    auto record = decision_record();
    record.context = R"({"note":"x","posture":{"image_signed":true}})";
    auto const recorded = recorded_request(record).value();
    EXPECT_EQ(recorded.request.principal, (cedar::EntityUid { "Workload", "spiffe://example.org/trainer" }));
    EXPECT_EQ(recorded.request.action, (cedar::EntityUid { "Action", "read" }));
    EXPECT_EQ(recorded.request.resource, (cedar::EntityUid { "Dataset", "biopsies" }));
    EXPECT_EQ(recorded.request.context.at("note"), cedar::Value("x"));
    EXPECT_EQ(recorded.request.context.at("run"), cedar::Value("r1"));
    EXPECT_EQ(recorded.request.context.at("time"), vocabulary::time_value(record.time));
    EXPECT_EQ(recorded.request.context.at("posture"), cedar::Value::record({ { "image_signed", true } }));
    EXPECT_EQ(recorded.principal.tags.at("unix.user"), cedar::Value::set_of({ "ml" }));
    EXPECT_TRUE(recorded.withheld.empty());
}

TEST(RecordedRequest, is_the_same_after_a_way_through_the_log)
{
    auto record = decision_record();
    record.context = R"({"note":"x"})";
    auto const again = recorded_request(audit::parse_record(audit::to_json_text(record)).value()).value();
    EXPECT_EQ(again.request.context, recorded_request(record)->request.context);
    EXPECT_EQ(again.principal.tags, recorded_request(record)->principal.tags);
}

TEST(RecordedRequest, is_made_of_decisions_alone)
{
    auto record = decision_record();
    record.type = audit::RecordType::issuance;
    EXPECT_EQ(recorded_request(record).error().code, ErrorCode::invalid_argument);
    record = decision_record();
    record.resource.reset();
    EXPECT_TRUE(recorded_request(record).is_error());
}

TEST(Explanation, gives_the_recorded_answer_again)
{
    auto const explained = explain(decision_record(), of(readers), in_force).value();
    EXPECT_TRUE(explained.is_replayed);
    EXPECT_TRUE(explained.allowed);
    EXPECT_EQ(explained.determining, std::vector<std::string> { "readers" });
    EXPECT_TRUE(explained.contradictions.empty());
    EXPECT_EQ(explained.version_record, 3U);
    ASSERT_EQ(explained.policies.size(), 1U);
    EXPECT_EQ(explained.policies[0].path, "policies.cedar");
    EXPECT_NE(explained.policies[0].text.find("when { resource.purpose.contains(context.purpose) }"), std::string::npos);
}

TEST(Explanation, of_a_denial_names_what_was_missing)
{
    auto record = decision_record();
    record.purpose = "marketing";
    record.allowed = false;
    record.policies = {};
    auto const explained = explain(record, of(readers), in_force).value();
    EXPECT_TRUE(explained.contradictions.empty());
    ASSERT_EQ(explained.missing.size(), 1U);
    EXPECT_EQ(explained.missing[0].fact, "resource.purpose");
}

TEST(Explanation, of_an_allow_has_the_values_that_its_conditions_found)
{
    auto const explained = explain(decision_record(), of(readers), in_force).value();
    ASSERT_EQ(explained.policies.size(), 1U);
    std::map<std::string, std::string> found;
    for (auto const& part : explained.policies[0].parts) {
        EXPECT_EQ(part.outcome, cedar::Outcome::holds) << part.text;
        for (auto const& fact : part.facts)
            found.emplace(fact.fact, fact.found);
    }
    ASSERT_TRUE(found.contains("resource.purpose"));
    EXPECT_NE(found.at("resource.purpose").find("train"), std::string::npos);
}

TEST(Explanation, says_loudly_that_the_answer_is_another)
{
    auto record = decision_record();
    record.allowed = false;
    record.policies = {};
    EXPECT_EQ(explain(record, of(readers), in_force)->contradictions.size(), 1U);
    record = decision_record();
    record.policies = { "others" };
    EXPECT_EQ(explain(record, of(readers), in_force)->contradictions.size(), 1U);
    record = decision_record();
    record.purpose = "marketing";
    EXPECT_EQ(explain(record, of(readers), in_force)->contradictions.size(), 1U);
}

TEST(Explanation, says_loudly_that_the_declarations_are_not_those_on_record)
{
    auto const altered = explain(decision_record(), of(readers), VersionRecord { 3, "01" }).value();
    ASSERT_EQ(altered.contradictions.size(), 1U);
    EXPECT_NE(altered.contradictions[0].find("SHA-256"), std::string::npos);
    EXPECT_EQ(explain(decision_record(), of(readers), std::nullopt)->contradictions.size(), 1U);
    auto nothing = of("");
    nothing.version = 0;
    auto record = decision_record();
    record.allowed = false;
    record.policies = {};
    EXPECT_TRUE(explain(record, nothing, std::nullopt)->contradictions.empty());
}

TEST(Explanation, takes_a_list_that_was_cut_for_what_it_is)
{
    auto record = decision_record();
    record.policies = { "readers", "\xE2\x80\xA6" };
    EXPECT_TRUE(explain(record, of(readers), in_force)->contradictions.empty());
    record.policies = { "others", "\xE2\x80\xA6" };
    EXPECT_FALSE(explain(record, of(readers), in_force)->contradictions.empty());
}

TEST(Explanation, does_not_guess_what_the_log_does_not_have)
{
    auto record = decision_record();
    record.context = R"({"note":"sha256:aa"})";
    record.redacted = { "context.note", "claim.unix.user" };
    auto const explained = explain(record, of(asks_for_note), in_force).value();
    EXPECT_FALSE(explained.is_replayed);
    EXPECT_TRUE(explained.contradictions.empty());
    EXPECT_EQ(explained.withheld, (std::vector<Withheld> { { Withheld::Kind::context, "note", "kept as a digest" } }));
    EXPECT_EQ(to_string(explained.withheld[0]), "context.note: kept as a digest");
    // A part of it is a part of it.
    record.redacted = { "context.note.author" };
    EXPECT_FALSE(explain(record, of(asks_for_note), in_force)->is_replayed);
    record.redacted = { "context.notes", "claim.unix.user" };
    EXPECT_TRUE(explain(record, of(asks_for_note), in_force)->is_replayed);
    record.redacted = { "context.note", "claim.unix.user" };
    // Nobody asks for it here.
    EXPECT_TRUE(explain(record, of(readers), in_force)->is_replayed);
    // Nor in a policy that is for others.
    auto const elsewhere = std::string(readers) + R"(permit (principal, action == Action::"load", resource) when { context.note == "x" };)";
    EXPECT_TRUE(explain(record, of(elsewhere), in_force)->is_replayed);
    auto const tags = R"(@id("readers") permit (principal, action, resource) when { principal.hasTag("unix.user") };)";
    EXPECT_FALSE(explain(record, of(tags), in_force)->is_replayed);
}

TEST(Explanation, of_a_record_that_was_cut_is_given_if_nothing_asks_for_the_cut)
{
    auto record = decision_record();
    record.context_cut = "00";
    record.claims_cut = 2;
    EXPECT_TRUE(explain(record, of(readers), in_force)->is_replayed);
    EXPECT_FALSE(explain(record, of(asks_for_note), in_force)->is_replayed);
    auto const tags = R"(@id("readers") permit (principal, action, resource) when { principal.hasTag("unix.user") };)";
    EXPECT_FALSE(explain(record, of(tags), in_force)->is_replayed);
}

TEST(Explanation, of_names_that_were_cut_is_not_given)
{
    auto record = decision_record();
    record.resource->id = "biopsi\xE2\x80\xA6";
    auto const explained = explain(record, of(readers), in_force).value();
    EXPECT_FALSE(explained.is_replayed);
    EXPECT_TRUE(explained.contradictions.empty());
    EXPECT_EQ(to_string(explained.withheld.at(0)), "resource: too long to be kept");
}

TEST(Explanation, of_a_subject_that_is_no_workload_is_about_that_subject)
{
    auto record = decision_record();
    record.workload_type = "Robot";
    record.policies = { "robots" };
    EXPECT_TRUE(explain(record, of(R"(@id("robots") permit (principal is Robot, action, resource);)"), in_force)->contradictions.empty());
}

TEST(Explanation, of_many_decisions_in_one_record_is_of_each)
{
    auto shared = decision_record();
    shared.resource.reset();
    shared.allowed.reset();
    shared.policies = {};
    auto text = audit::to_json_text(shared);
    text.pop_back();
    auto const with = [&](std::string const& items) { return replay::explain(text + ",\"items\":[" + items + "]}", of(readers), in_force).value(); };
    std::string const used = R"({"type":"Dataset","id":"biopsies","decision":"allow","policies":["readers"]})";
    auto const explained = with(used + R"(,{"type":"Dataset","id":"nowhere","decision":"deny"})");
    EXPECT_EQ(explained.decisions.size(), 2U);
    EXPECT_TRUE(explained.is_replayed() && explained.contradictions.empty());
    auto const altered = with(used + R"(,{"type":"Dataset","id":"nowhere","decision":"allow","policies":["readers"]})");
    ASSERT_EQ(altered.contradictions.size(), 1U);
    EXPECT_NE(altered.contradictions[0].find("Dataset::\"nowhere\""), std::string::npos);
}

TEST(VersionRecord, is_the_administration_record_of_that_version)
{
    audit::Record record;
    record.type = audit::RecordType::administration;
    record.declarations = audit::RecordedDeclarations { 4, "aa" };
    EXPECT_EQ(version_record_of(9, record, 4)->digest, "aa");
    EXPECT_FALSE(version_record_of(9, record, 5));
    record.type = audit::RecordType::decision;
    EXPECT_FALSE(version_record_of(9, record, 4));
}
