// SPDX-License-Identifier: Apache-2.0
#include "audit/record.h"

#include "crypto/digest.h"

#include <gtest/gtest.h>

namespace writ::audit {
namespace {

Record full_record()
{
    Record record;
    record.type = RecordType::issuance;
    record.time = parse_rfc3339("2026-11-23T20:05:41.123456Z").value();
    record.trace = "t1";
    record.caller = "uid:0";
    record.workload = "spiffe://example.org/trainer";
    record.workload_type = "Robot";
    record.workload_name = "trainer";
    record.pipeline = "oncology";
    record.team = "ml";
    record.run = "r1";
    record.purpose = "training";
    record.claims = { { .name = "unix.uid", .values = { "1000" }, .provider = "unix" },
        { .name = "unix.path", .values = { "/a", "/b" }, .provider = "unix" } };
    record.posture = "00";
    record.action = "read";
    record.resource = RecordedEntity { .type = "Dataset", .id = "oncology/biopsies", .version = "v3", .digest = "sha256:00" };
    record.model = RecordedEntity { .type = "Model", .id = "m", .version = "", .digest = "" };
    record.allowed = true;
    record.policies = { "p1", "p2" };
    record.policy_errors = { "p3: type error" };
    record.policy_version = 7;
    record.credential = RecordedCredential {
        .kind = "postgres_role", .id = "writ_x", .scope = "SELECT", .lease = "l1", .expires = record.time + std::chrono::hours(1)
    };
    record.decision = 41;
    record.latency = Duration(250);
    record.outcome = "ok";
    record.reason = "because";
    record.request = "caller-7";
    record.rank = 3;
    record.classification = { "pii" };
    record.endpoint = "scorer";
    record.datasets = { { .type = "DatasetVersion", .id = "biopsies@3", .version = "3", .digest = "sha256:01" } };
    record.context = R"({"amount":5,"posture":{"image_signed":true}})";
    record.redacted = { "claim.unix.uid" };
    record.declarations = RecordedDeclarations { .version = 4, .digest = "ab", .schema = "cd" };
    record.salt_digest = "cd";
    return record;
}

TEST(Record, every_member_reads_back)
{
    auto const text = to_json_text(full_record());
    auto const read = parse_record(text).value();
    EXPECT_EQ(to_json_text(read), text);
    EXPECT_EQ(read.claims[1].values, (std::vector<std::string> { "/a", "/b" }));
    EXPECT_EQ(read.resource, full_record().resource);
    EXPECT_EQ(read.credential->expires, full_record().credential->expires);
    EXPECT_EQ(read.latency, Duration(250));
    EXPECT_EQ(read.request, "caller-7");
    EXPECT_EQ(read.rank, 3U);
    EXPECT_EQ(read.classification, full_record().classification);
    EXPECT_EQ(read.datasets, full_record().datasets);
    EXPECT_EQ(read.context, full_record().context);
    EXPECT_EQ(read.redacted, full_record().redacted);
    EXPECT_EQ(read.declarations, full_record().declarations);
    EXPECT_EQ(read.salt_digest, "cd");
    EXPECT_EQ(text.find('\n'), std::string::npos);
}

TEST(Record, members_that_are_empty_are_left_out)
{
    Record record;
    record.time = parse_rfc3339("2026-11-23T20:05:41Z").value();
    EXPECT_EQ(to_json_text(record), R"({"v":1,"type":"decision","time":"2026-11-23T20:05:41.000000Z"})");
    EXPECT_TRUE(parse_record(R"({"type":"startup","time":"2026-11-23T20:05:41Z","of a later version":[{}]})").is_ok());
}

TEST(Record, claims_that_do_not_fit_are_cut_and_counted)
{
    auto record = full_record();
    for (int i = 0; i < 1000; ++i)
        record.claims.push_back({ .name = "k" + std::to_string(i), .values = { std::string(200, 'x') }, .provider = "unix" });
    auto const text = to_json_text(record);
    EXPECT_LE(text.size(), limits::record_bytes_max);
    EXPECT_GT(text.size(), limits::record_bytes_max - 300);
    auto const kept = parse_record(text).value().claims.size();
    auto const cut = integer_member(parse_json_object(text).value(), "claims_cut").value();
    EXPECT_EQ(parse_record(text)->claims_cut, static_cast<std::uint64_t>(cut));
    EXPECT_EQ(kept + static_cast<std::size_t>(cut), record.claims.size());
    EXPECT_EQ(parse_record(text).value().credential->id, "writ_x");
}

TEST(Record, a_context_too_long_is_recorded_as_its_digest)
{
    auto record = full_record();
    record.context = R"({"a":")" + std::string(context_bytes_max, 'x') + R"("})";
    auto const read = parse_record(to_json_text(record)).value();
    EXPECT_EQ(read.context, "");
    EXPECT_EQ(read.context_cut, to_hex(crypto::sha256(as_bytes(record.context))));
    EXPECT_EQ(to_json_text(read), to_json_text(record));
}

// What others can make long or strange must not make a record that cannot be written, or cannot be read.
TEST(Record, is_written_whatever_texts_it_is_about)
{
    for (auto const& hostile :
        { std::string(70'000, '\x01'), std::string(70'000, '"'), std::string(70'000, '\xFF'), std::string(40'000, 'a') + "\xC3" }) {
        Record record = full_record();
        record.trace = record.caller = record.workload = record.workload_name = record.pipeline = record.team = hostile;
        record.run = record.purpose = record.posture = record.action = record.outcome = record.reason = hostile;
        record.resource = record.model = RecordedEntity { .type = hostile, .id = hostile, .version = hostile, .digest = hostile, .alias = hostile };
        record.declarations = RecordedDeclarations { .version = INT64_MAX, .digest = hostile, .schema = hostile };
        record.credential
            = RecordedCredential { .kind = hostile, .id = hostile, .scope = hostile, .lease = hostile, .expires = std::nullopt };
        record.policies = record.policy_errors = record.redacted = record.asserted = record.classification = std::vector<std::string>(70'000, "");
        record.datasets.assign(2, RecordedEntity { .type = hostile, .id = hostile, .version = "", .digest = "" });
        record.request = record.endpoint = record.salt_digest = hostile;
        record.claims.push_back({ .name = hostile, .values = std::vector<std::string>(5, hostile), .provider = hostile });
        auto const text = to_json_text(record);
        EXPECT_LE(text.size(), limits::record_bytes_max);
        auto const read = parse_record(text).value();
        EXPECT_EQ(read.allowed, record.allowed);
        EXPECT_EQ(read.decision, record.decision);
    }
}

TEST(Record, what_is_no_record_is_refused)
{
    std::string const head = R"({"type":"decision","time":"2026-11-23T20:05:41Z")";
    EXPECT_TRUE(parse_record(head + "}").is_ok());
    for (auto const& text : std::vector<std::string> { "", "[]", "{}", R"({"type":"decision"})",
             R"({"type":"x","time":"2026-11-23T20:05:41Z"})", head, head + R"(,"decision":true})", head + R"(,"decision_record":-1})",
             head + R"(,"claims":[1]})", head + R"(,"claims":[{"name":"a"}]})", head + R"(,"resource":"x"})", head + R"(,"policies":[1]})",
             head + R"(,"credential":{"expires":"soon"}})", head + R"(,"v":2})",
             head + R"(,"v":"1"})", head + R"(,"context":[]})", head + R"(,"datasets":[1]})", head + R"(,"rank":-1})", head + R"(,"type":"startup"})" })
        EXPECT_EQ(parse_record(text).error().code, ErrorCode::corruption) << text;
}

} // namespace
} // namespace writ::audit
