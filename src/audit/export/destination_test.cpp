// SPDX-License-Identifier: Apache-2.0
#include "audit/export/destination.h"

#include "audit/export/syslog.h"

#include <gtest/gtest.h>

namespace writ::audit {

using Kind = Destination::Kind;

TEST(Destination, every_scheme_is_read)
{
    EXPECT_EQ(parse_destination("file:///var/log/a.jsonl")->path, "/var/log/a.jsonl");
    auto const https = parse_destination("https://siem.example/in?x=1").value();
    EXPECT_TRUE(https.is_tls);
    EXPECT_EQ(std::get<net::TcpAddress>(https.address), (net::TcpAddress { "siem.example", 443 }));
    EXPECT_EQ(https.path, "/in?x=1");
    EXPECT_EQ(parse_destination("http://[::1]:4318")->path, "/");
    EXPECT_EQ(std::get<net::TcpAddress>(parse_destination("syslog+tls://logs.example")->address).port, 6514);
    EXPECT_EQ(std::get<net::TcpAddress>(parse_destination("syslog+tcp://127.0.0.1:5140")->address).port, 5140);
    EXPECT_EQ(std::get<net::UnixAddress>(parse_destination("syslog+unix:///dev/log")->address).path, "/dev/log");
    auto const kafka = parse_destination("kafka+tls://b1.example:9093,b2.example/writ.audit").value();
    EXPECT_EQ(kafka.kind, Kind::kafka);
    EXPECT_EQ(kafka.brokers, "b1.example:9093,b2.example");
    EXPECT_EQ(kafka.topic, "writ.audit");
}

TEST(Destination, records_leave_the_machine_over_tls_only)
{
    for (auto const* text : { "http://siem.example/in", "syslog+tcp://logs.example:601", "kafka://b1.example:9092/t", "kafka://127.0.0.1,b1.example/t",
             "http://127.0.0.1.evil.example@x/", "http://localhost.evil.example/" })
        EXPECT_EQ(parse_destination(text).error().code, ErrorCode::invalid_argument) << text;
}

TEST(Destination, what_is_none_is_refused)
{
    for (auto const* text : { "", "siem.example", "ftp://x/y", "file://relative", "file:///", "file:///a/", "https://", "https://h:x/", "https://h/a b",
             "syslog+unix://dev/log", "kafka+tls://b1:9093", "kafka+tls:///t", "kafka+tls://b1:9093/a/b", "kafka+tls://b1:9093,/t,", "syslog+tls://a/b" })
        EXPECT_TRUE(parse_destination(text).is_error()) << text;
}

TEST(ExportFilter, all_that_is_given_must_match_and_of_a_list_one)
{
    Record record;
    record.workload_name = "trainer";
    record.team = "oncology";
    record.resource = RecordedEntity { "Dataset", "biopsies", "", "" };
    record.allowed = false;
    EXPECT_TRUE(ExportFilter().matches(record));
    EXPECT_TRUE((ExportFilter { .types = { RecordType::issuance, RecordType::decision }, .allowed = false, .workloads = { "trainer" } }.matches(record)));
    EXPECT_TRUE((ExportFilter { .resources = { "other", "Dataset::biopsies" } }.matches(record)));
    EXPECT_FALSE((ExportFilter { .types = { RecordType::issuance } }.matches(record)));
    EXPECT_FALSE((ExportFilter { .allowed = true }.matches(record)));
    EXPECT_FALSE((ExportFilter { .teams = { "fraud" } }.matches(record)));
    EXPECT_FALSE((ExportFilter { .teams = { "oncology" }, .purposes = { "train" } }.matches(record)));
}

TEST(Syslog, a_message_is_as_rfc_5424_has_it_and_its_frame_counts_bytes)
{
    OutgoingEvent const event { .sequence = 41, .type = RecordType::decision, .time = from_unix_seconds(1'790'000'000), .is_warning = true, .text = "CEF:0|\xC3\xBC" };
    auto const message = syslog_message(event, syslog_host("oncology.example/log"));
    EXPECT_EQ(message, "<108>1 2026-09-21T14:13:20.000000Z oncology.example writ - decision [meta sequenceId=\"42\"] CEF:0|\xC3\xBC");
    EXPECT_EQ(syslog_frame("ab\xC3\xBC"), "4 ab\xC3\xBC");
    EXPECT_EQ(syslog_host("a b\xC3\xBC/x"), "ab");
    EXPECT_EQ(syslog_host("/x"), "-");
}

} // namespace writ::audit
