// SPDX-License-Identifier: Apache-2.0
#include "audit/export/event.h"

#include "audit/record_items.h"
#include "tlog/merkle_tree.h"

#include <gtest/gtest.h>

namespace writ::audit {

namespace {

Record denial()
{
    Record record;
    record.type = RecordType::decision;
    record.time = from_unix_seconds(1'790'000'000);
    record.trace = "2aaaabbbb";
    record.workload = "spiffe://oncology.example/train";
    record.workload_name = "trainer";
    record.run = "run-7";
    record.purpose = "a=b|c\\d\ne";
    record.action = "read";
    record.resource = RecordedEntity { "Dataset", "oncology/biopsies", "4", "" };
    record.allowed = false;
    record.policies = { "p0", "p1" };
    record.policy_version = 3;
    record.outcome = "ok";
    return record;
}

ExportedRecord exported(Record const& record)
{
    auto made = exported_record(17, "oncology.example/log", to_json_text(record));
    EXPECT_TRUE(made.is_ok());
    return std::move(*made);
}

JsonObject parsed(std::string const& text)
{
    auto object = parse_json_object(text);
    EXPECT_TRUE(object.is_ok()) << text;
    return object.is_ok() ? std::move(*object) : JsonObject();
}

} // namespace

TEST(ExportEvent, json_holds_the_record_byte_for_byte_and_the_hash_that_the_log_has_of_it)
{
    auto const record = exported(denial());
    auto const text = to_event(EventFormat::json, record);
    EXPECT_NE(text.find(record.text), std::string::npos);
    auto const event = parsed(text);
    EXPECT_EQ(event.at("sequence").as_int64(), 17);
    EXPECT_EQ(event.at("leaf_hash").as_string(), to_hex(tlog::leaf_hash(as_bytes(record.text))));
}

TEST(ExportEvent, no_event_of_any_format_breaks_its_line)
{
    for (auto const format : event_formats) {
        auto const event = to_event(format, exported(denial()));
        EXPECT_FALSE(event.empty());
        EXPECT_EQ(event.find('\n'), std::string::npos) << event;
    }
}

TEST(ExportEvent, cef_escapes_what_would_be_another_field)
{
    auto const event = to_event(EventFormat::cef, exported(denial()));
    EXPECT_TRUE(event.starts_with("CEF:0|Writ|Writ|0.1.0|decision|decision deny|6|rt=1790000000000 externalId=17 ")) << event;
    EXPECT_NE(event.find(R"(cs2=a\=b|c\\d\ne cs2Label=purpose)"), std::string::npos) << event;
    EXPECT_NE(event.find(" outcome=deny "), std::string::npos);
}

TEST(ExportEvent, otlp_has_times_and_numbers_as_text_and_the_record_as_body)
{
    auto const record = exported(denial());
    auto const request = parsed(to_batch(EventFormat::otlp, BatchShape::lines, { to_event(EventFormat::otlp, record), to_event(EventFormat::otlp, record) }));
    auto const& logs = request.at("resourceLogs").at(0).at("scopeLogs").at(0).at("logRecords").as_array();
    ASSERT_EQ(logs.size(), 2U);
    EXPECT_EQ(logs[0].at("timeUnixNano").as_string(), "1790000000000000000");
    EXPECT_EQ(logs[0].at("severityText").as_string(), "WARN");
    EXPECT_EQ(logs[0].at("body").at("stringValue").as_string(), record.text);
    EXPECT_EQ(logs[0].at("attributes").at(1).at("value").at("stringValue").as_string(), "oncology.example/log/17");
    EXPECT_EQ(logs[0].at("attributes").at(2).at("value").at("intValue").as_string(), "17");
}

TEST(ExportEvent, openlineage_gives_a_run_one_id_and_denied_reads_no_inputs)
{
    auto allowed = denial();
    allowed.allowed = true;
    auto const first = parsed(to_event(EventFormat::openlineage, exported(denial())));
    auto const second = parsed(to_event(EventFormat::openlineage, exported(allowed)));
    EXPECT_EQ(first.at("run").at("runId"), second.at("run").at("runId"));
    EXPECT_TRUE(first.at("inputs").as_array().empty());
    EXPECT_EQ(second.at("inputs").at(0).at("name").as_string(), "oncology/biopsies");
    allowed.run = "run-8";
    EXPECT_NE(parsed(to_event(EventFormat::openlineage, exported(allowed))).at("run").at("runId"), second.at("run").at("runId"));
}

TEST(ExportEvent, openlineage_has_none_for_what_is_no_run)
{
    Record startup;
    startup.type = RecordType::startup;
    EXPECT_EQ(to_event(EventFormat::openlineage, exported(startup)), "");
    EXPECT_NE(to_event(EventFormat::ocsf, exported(startup)), "");
}

TEST(ExportEvent, a_record_of_many_decisions_is_an_event_for_each_but_in_json)
{
    auto record = denial();
    record.resource.reset();
    ItemWriter items;
    std::vector<std::string_view> const policies { "p0" };
    items.add("a", { "Dataset", true, policies, {} });
    items.add("b", { "Dataset", false, {}, {} });
    record.items = items.take();
    auto const whole = exported(record);
    auto const events = events_in(whole);
    ASSERT_EQ(events.size(), 2U);
    auto const first = parsed(to_event(EventFormat::ocsf, events[0])), second = parsed(to_event(EventFormat::ocsf, events[1]));
    EXPECT_EQ(first.at("resources").at(0).at("name").as_string(), "a");
    EXPECT_EQ(first.at("status").as_string(), "Success");
    EXPECT_EQ(second.at("status").as_string(), "Failure");
    EXPECT_EQ(second.at("metadata").at("uid").as_string(), "oncology.example/log/17/2");
    EXPECT_TRUE(parse_record(second.at("raw_data").as_string()).is_ok());
    auto const json = parsed(to_event(EventFormat::json, events[1]));
    EXPECT_EQ(json.at("id").as_string(), "oncology.example/log/17/2");
    EXPECT_EQ(json.at("item").as_int64(), 2);
    EXPECT_EQ(json.at("items").as_int64(), 2);
    EXPECT_EQ(json.at("record").at("resource").at("id").as_string(), "b");
    EXPECT_EQ(json.at("record").at("decision").as_string(), "deny");
    EXPECT_EQ(json.at("leaf_hash").as_string(), to_hex(tlog::leaf_hash(as_bytes(whole.text))));
    EXPECT_EQ(parsed(to_event(EventFormat::json, events[1])), json);
}

TEST(ExportEvent, a_batch_is_lines_or_an_array)
{
    EXPECT_EQ(to_batch(EventFormat::json, BatchShape::lines, { "{}", "[]" }), "{}\n[]\n");
    EXPECT_EQ(to_batch(EventFormat::ocsf, BatchShape::array, { "{}", "{}" }), "[{},{}]");
    EXPECT_EQ(to_batch(EventFormat::openlineage, BatchShape::single, { "{}" }), "{}");
}

TEST(ExportEvent, what_is_no_record_is_no_event)
{
    EXPECT_EQ(exported_record(1, "o", "{}").error().code, ErrorCode::corruption);
    EXPECT_TRUE(parse_event_format("leef").is_error());
    for (auto const format : event_formats)
        EXPECT_EQ(*parse_event_format(to_string(format)), format);
}

} // namespace writ::audit
