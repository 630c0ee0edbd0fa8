// SPDX-License-Identifier: Apache-2.0
#include "audit/record_scanner.h"

#include <gtest/gtest.h>

namespace writ::audit {
namespace {

std::string const head = R"({"v":1,"type":"decision","time":"2026-11-23T20:05:41Z")";

} // namespace

TEST(RecordScanner, takes_what_the_record_says)
{
    Record record;
    record.type = RecordType::issuance;
    record.time = parse_rfc3339("2026-11-23T20:05:41.123456Z").value();
    record.trace = "t1";
    record.workload = "spiffe://acme.ai/\"quoted\"\\";
    record.workload_name = "Trainér";
    record.run = "r1";
    record.purpose = "train";
    record.claims = { { .name = "run", .values = { "not this one", "}{][\",\\" }, .provider = "unix" } };
    record.resource = RecordedEntity { .type = "DatasetVersion", .id = "a@1", .version = "1", .digest = "x" };
    record.model = RecordedEntity { .type = "Model", .id = "m", .version = "", .digest = "" };
    record.datasets = { { .type = "Dataset", .id = "b", .version = "2", .digest = "" } };
    record.classification = { "pii", "phi" };
    record.policies = { "p1" };
    record.allowed = true;
    record.context = R"({"run":"nor this","lease":"nor that"})";
    record.credential = RecordedCredential { .kind = "k", .id = "i", .scope = "s", .lease = "l1", .expires = record.time };
    auto const text = to_json_text(record);
    RecordScanner scanner;
    ScannedRecord scanned;
    ASSERT_TRUE(scanner.scan(text, scanned)) << text;
    EXPECT_EQ(scanned.type, record.type);
    EXPECT_EQ(scanned.time, record.time);
    EXPECT_EQ(scanned.workload, record.workload);
    EXPECT_EQ(scanned.workload_name, record.workload_name);
    EXPECT_EQ(scanned.run, "r1");
    EXPECT_EQ(scanned.resource.id, "a@1");
    EXPECT_EQ(scanned.model.type, "Model");
    ASSERT_EQ(scanned.datasets.size(), 1U);
    EXPECT_EQ(scanned.datasets[0].version, "2");
    EXPECT_EQ(scanned.classification, (std::vector<std::string_view> { "pii", "phi" }));
    EXPECT_EQ(scanned.policies, (std::vector<std::string_view> { "p1" }));
    EXPECT_EQ(scanned.decision, "allow");
    EXPECT_EQ(scanned.lease, "l1");
    ASSERT_TRUE(scanner.scan(head + "}", scanned)); // nothing of the last one stays
    EXPECT_EQ(scanned.run, "");
    EXPECT_TRUE(scanned.policies.empty());
}

TEST(RecordScanner, takes_any_white_space_and_order)
{
    RecordScanner scanner;
    ScannedRecord scanned;
    EXPECT_TRUE(scanner.scan(" { \"time\" : \"2026-11-23T20:05:41Z\" ,\n\"x\": [ 1 , {\"run\":\"no\"} ] , \"run\":\"yes\", \"type\":\"startup\" } ", scanned));
    EXPECT_EQ(scanned.run, "yes");
    EXPECT_EQ(scanned.type, RecordType::startup);
}

TEST(RecordScanner, takes_items_as_they_come)
{
    RecordScanner scanner;
    ScannedRecord scanned;
    auto const text = head
        + R"(,"items":[1,"before",{"type":"Dataset","id":"a","decision":"allow","policies":["p",2]},"b",[1],{"type":"Model","decision":"deny","policies":"]x[","asserted":["resource",{}]},"c",0,{"id":"d@1","version":"1"},7,{"id":3}]})"; // what is scanned points into it
    ASSERT_TRUE(scanner.scan(text, scanned));
    std::string all;
    for (auto const& item : scanned.items)
        all.append(item.resource.type).append("/").append(item.resource.id).append(" ").append(scanned.outcomes[item.outcome].decision).append(",");
    EXPECT_EQ(all, "Dataset/a allow,Dataset/b allow,Model/c deny,Dataset/d@1 allow,Dataset/ allow,");
    EXPECT_EQ(scanned.outcomes[0].policies, std::vector<std::string_view> { "p" });
    EXPECT_TRUE(scanned.outcomes[0].asserted.empty());
    EXPECT_EQ(scanned.outcomes[1].asserted, std::vector<std::string_view> { "resource" });
    EXPECT_EQ(scanned.items[3].resource.version, "1");
    EXPECT_FALSE(scanner.scan(head + R"(,"items":{}})", scanned));
}

TEST(RecordScanner, refuses_what_is_no_record)
{
    RecordScanner scanner;
    ScannedRecord scanned;
    EXPECT_TRUE(scanner.scan(head + "}", scanned));
    for (auto const& text : std::vector<std::string> { "", "{", "{}", "[]", "not a record", head, head + ",", head + ",}", head + R"(,"run":)", head + R"(,"run":"a})",
             head + R"(,"run":"a\"})", head + R"(,"x":[1})", head + R"(,"x":{"a":[})", head + "} x", R"({"type":"decision"})", R"({"time":"2026-11-23T20:05:41Z"})",
             R"({"type":"x","time":"2026-11-23T20:05:41Z"})", R"({"type":"decision","time":"soon"})", head + R"(,"policies":"p"})", head + R"(,"run":"\u12"})" })
        EXPECT_FALSE(scanner.scan(text, scanned)) << text;
}

} // namespace writ::audit
