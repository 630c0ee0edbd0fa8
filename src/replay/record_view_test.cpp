// SPDX-License-Identifier: Apache-2.0
#include "replay/record_view.h"

#include "audit/record.h"
#include "replay/replay_fixture.h"
#include "replay/single_decisions.h"

#include <gtest/gtest.h>

using namespace writ;
using namespace writ::replay;

namespace {

std::string key_of(audit::Record const& record, AskedFor const& asked)
{
    auto const text = audit::to_json_text(record);
    std::string key;
    write_key(key, view_record(text).value(), asked);
    return key;
}

} // namespace

TEST(RecordView, shows_what_stands_in_a_record)
{
    auto const text = audit::to_json_text(decision_record());
    auto const view = view_record(text);
    ASSERT_TRUE(view);
    EXPECT_TRUE(view->is_decision());
    EXPECT_EQ(view->workload_name, "\"trainer\"");
    EXPECT_EQ(view->purpose, "\"train\"");
    EXPECT_EQ(view->resource, R"({"type":"Dataset","id":"biopsies"})");
    EXPECT_EQ(plain_text(view->time), to_rfc3339(decision_record().time));
}

TEST(RecordView, is_not_led_astray_by_what_strings_hold)
{
    auto record = decision_record();
    record.purpose = R"(","decision":"deny","x":"\)";
    record.run = "]}{[\"\\\\";
    auto const text = audit::to_json_text(record);
    auto const view = view_record(text);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->decision, "\"allow\"");
    EXPECT_EQ(parse_json(view->purpose).value().as_string(), record.purpose);
    EXPECT_EQ(parse_json(view->run).value().as_string(), record.run);
}

TEST(RecordView, refuses_what_is_no_record_of_ours)
{
    for (auto const* text : { "", "{", "}", "[]", "x", R"({"type")", R"({"type":})", R"({"type":"a)", R"({"type":"a",})", R"({"type":"a"}x)",
             R"({"type":"a"]})", R"({"claims":[1,]})"
                                "}",
             R"({"v":2,"type":"decision"})", R"({ "type":"a"})", R"({"typ\u0065":"a"})", R"({"type":"a","type":"b"})", R"({"context":{"a":[}})", R"({"type":"a" })", R"({,})" })
        EXPECT_FALSE(view_record(text)) << text;
    EXPECT_TRUE(view_record("{}"));
}

TEST(SingleDecisions, of_a_record_of_many_are_those_of_its_items)
{
    auto shared = decision_record();
    shared.resource.reset();
    shared.allowed.reset();
    shared.policies = {};
    auto text = audit::to_json_text(shared);
    text.pop_back();
    text += R"(,"items":[{"type":"Dataset","decision":"allow","policies":["readers"]},"a",{"type":"Dataset","id":"b\"","decision":"deny"},0,{"id":"c","digest":"d"}]})";
    auto const singles = single_decisions(text).value();
    ASSERT_EQ(singles.size(), 3U);
    EXPECT_TRUE(*singles[0].allowed);
    EXPECT_EQ(singles[0].policies, std::vector<std::string> { "readers" });
    EXPECT_FALSE(*singles[1].allowed);
    EXPECT_EQ(singles[1].resource->id, "b\"");
    EXPECT_EQ(singles[1].workload, shared.workload);
    std::string seen;
    EXPECT_TRUE(for_each_decision(view_record(text).value(), [&](RecordView const& one, std::string_view item) {
        EXPECT_EQ(one.resource, item);
        seen.append(item);
    }));
    EXPECT_EQ(seen, R"({"type":"Dataset","id":"a","decision":"allow","policies":["readers"]})"
                    R"({"type":"Dataset","id":"b\"","decision":"deny"})"
                    R"({"type":"Dataset","id":"c","decision":"allow","policies":["readers"]})");
    EXPECT_EQ(single_decisions(audit::to_json_text(decision_record()))->size(), 1U);
    for (auto const* broken : { R"({"type":"decision","time":"2026-11-23T20:05:41Z","items":[{"type":"Dataset","id":"a"}]})",
             R"({"type":"decision","time":"2026-11-23T20:05:41Z","items":[1]})", R"({"type":"decision","time":"2026-11-23T20:05:41Z","items":"x"})",
             R"({"type":"decision","time":"2026-11-23T20:05:41Z","items":[{"type":"Dataset","decision":"allow"},1]})" }) {
        EXPECT_TRUE(single_decisions(broken).is_error()) << broken;
        EXPECT_FALSE(for_each_decision(view_record(broken).value(), [](RecordView const&, std::string_view) {})) << broken;
    }
}

TEST(RecordKey, holds_what_is_asked_for_and_no_more)
{
    AskedFor asked;
    auto const record = decision_record();
    auto other = record;
    other.run = "another";
    other.time += std::chrono::hours(1);
    other.trace = "another";
    other.claims.back().values = { "another" };
    EXPECT_EQ(key_of(record, asked), key_of(other, asked));
    asked.context.insert("run");
    EXPECT_NE(key_of(record, asked), key_of(other, asked));
    other.run = record.run;
    EXPECT_EQ(key_of(record, asked), key_of(other, asked));
    asked.tags.insert(record.claims.front().name);
    EXPECT_EQ(key_of(record, asked), key_of(other, asked));
    asked.tags.insert(record.claims.back().name);
    EXPECT_NE(key_of(record, asked), key_of(other, asked));
}

TEST(RecordKey, tells_every_part_of_the_question_apart)
{
    AskedFor const asked;
    auto const record = decision_record();
    auto const key = key_of(record, asked);
    std::vector<std::function<void(audit::Record&)>> const changes {
        [](auto& r) { r.allowed = false; },
        [](auto& r) { r.policies = { "other" }; },
        [](auto& r) { r.workload = "spiffe://a/other"; },
        [](auto& r) { r.workload_type = "Robot"; },
        [](auto& r) { r.workload_name = "other"; },
        [](auto& r) { r.pipeline = "other"; },
        [](auto& r) { r.team = "other"; },
        [](auto& r) { r.action = "write"; },
        [](auto& r) { r.resource->id = "other"; },
        [](auto& r) { r.purpose = "evaluate"; },
        [](auto& r) { r.redacted = { "context.note" }; },
        [](auto& r) { r.context_cut = "00"; },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto other = record;
        changes[i](other);
        EXPECT_NE(key_of(other, asked), key) << i;
    }
}

TEST(RecordKey, parts_do_not_run_into_each_other)
{
    AskedFor const asked;
    auto left = decision_record(), right = decision_record();
    left.pipeline = "a";
    left.team = "";
    right.pipeline = "";
    right.team = "a";
    EXPECT_NE(key_of(left, asked), key_of(right, asked));
}

TEST(AskedFor, finds_members_and_tags_wherever_they_stand)
{
    auto const asked = asked_for(policies(R"(
        permit (principal, action, resource) when { context.purpose == "x" && context has approver };
        forbid (principal, action, resource) unless { if principal.hasTag("unix.user") then principal.getTag("unix.user").contains("a")
            else context.posture.image_signed };)"));
    EXPECT_EQ(asked.context, (AskedFor::Names { "approver", "posture", "purpose" }));
    EXPECT_EQ(asked.tags, (AskedFor::Names { "unix.user" }));
    EXPECT_FALSE(asked.all_context || asked.all_tags);
    EXPECT_TRUE(asked_for(policies("permit (principal, action, resource) when { {a: context} == {a: context} };")).all_context);
    EXPECT_TRUE(asked_for(policies("permit (principal, action, resource) when { principal.hasTag(context.purpose) };")).all_tags);
    EXPECT_FALSE(asked_for(policies("permit (principal, action, resource);")).has_context("purpose"));
}
