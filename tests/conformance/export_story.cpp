// SPDX-License-Identifier: Apache-2.0
#include "export_story.h"

#include "audit/record_items.h"

namespace writ::conformance {

namespace {

using audit::Record;
using audit::RecordType;

constexpr std::string_view origin = "oncology.example/log";

Record about_workload(RecordType type)
{
    Record record;
    record.type = type;
    record.trace = "2aaaabbbbccccddddeee";
    record.caller = "spiffe://oncology.example/writ/agent/node-1";
    record.workload = "spiffe://oncology.example/oncology/ml/train";
    record.workload_name = "oncology-trainer";
    record.pipeline = "biopsy-classifier";
    record.team = "oncology";
    record.run = "run-7";
    record.purpose = "train";
    record.claims = { { "unix.uid", { "1000" }, "kernel" }, { "unix.path", { "/usr/bin/python3.11" }, "kernel" } };
    record.outcome = "ok";
    return record;
}

Record decision(std::string action, bool is_allowed)
{
    auto record = about_workload(RecordType::decision);
    record.action = std::move(action);
    record.resource = audit::RecordedEntity { "Dataset", "oncology/biopsies", "4", "9f2c" };
    record.allowed = is_allowed;
    record.policies = { "oncology.cedar#0" };
    record.policy_version = 3;
    record.latency = Duration(111);
    return record;
}

Record with_credential(RecordType type, std::string kind, std::string lease)
{
    auto record = about_workload(type);
    record.credential = audit::RecordedCredential { std::move(kind), "writ_7f3a", "SELECT on public.biopsies", std::move(lease),
        from_unix_seconds(1'790'000'600) };
    return record;
}

Record of_authority(RecordType type, std::string reason)
{
    Record record;
    record.type = type;
    record.caller = type == RecordType::startup ? "authority" : "uid:0";
    record.reason = std::move(reason);
    record.outcome = "ok";
    record.policy_version = 3;
    return record;
}

std::vector<Record> runs()
{
    auto denied_without_workload = decision("run", false);
    denied_without_workload.workload = denied_without_workload.workload_name = denied_without_workload.run = "";
    denied_without_workload.resource.reset();
    denied_without_workload.policies.clear();
    denied_without_workload.reason = "workload: none that is declared";
    auto erred = decision("train", false);
    erred.policy_errors = { "broken.cedar#1: attribute `posture` not found" };
    erred.model = audit::RecordedEntity { "ModelVersion", "biopsies-rf", "1.2.0", "ab12" };
    auto issued = with_credential(RecordType::issuance, "postgres_role", "lease-1");
    issued.action = "read";
    issued.resource = audit::RecordedEntity { "Dataset", "oncology/biopsies", "4", "" };
    issued.decision = 2;
    auto revoked = with_credential(RecordType::revocation, "postgres_role", "lease-1");
    revoked.reason = "run ended";
    auto unusual = decision("write", true);
    unusual.purpose = "line\nend | pipe = equals \\ \xE2\x82\xAC \x01";
    unusual.resource->id = "a\"b";
    auto failed = about_workload(RecordType::run_end);
    failed.outcome = "unavailable";
    failed.reason = "the node went away";
    return { about_workload(RecordType::run_start), decision("read", true), issued, decision("infer", false), erred, denied_without_workload,
        decision("promote", true), unusual, decision("something-new", true), revoked, about_workload(RecordType::run_end), failed };
}

// Asked for in one request, with what was measured and what is only said.
Record many_decisions()
{
    auto record = decision("read", true);
    record.resource.reset();
    record.allowed.reset();
    record.policies.clear();
    record.asserted = { "workload", "datasets" };
    record.datasets = { audit::RecordedEntity { "DatasetVersion", "labels@3", "3", "sha256:ab", "latest" } };
    record.context = R"({"posture":{"executable_digest":"9f2c","node":"spiffe://oncology.example/writ/agent/node-1"}})";
    audit::ItemWriter items;
    std::vector<std::string_view> const policies { "oncology.cedar#0" };
    items.add("oncology/biopsies@4", { "DatasetVersion", true, policies, {} });
    items.add("oncology/patients", { "Dataset", false, {}, policies });
    record.items = items.take();
    return record;
}

std::vector<Record> others()
{
    auto request = decision("call", true);
    request.run = "";
    auto svid = with_credential(RecordType::issuance, "x509_svid", "");
    svid.run = svid.trace = "";
    auto bare = Record();
    bare.type = RecordType::administration;
    return { of_authority(RecordType::startup, "authority of oncology.example"), of_authority(RecordType::administration, "declarations version 3"),
        of_authority(RecordType::retention, "records 0 to 511 dropped by retention"), bare, request, svid, with_credential(RecordType::issuance, "jwt_svid", "") };
}

} // namespace

std::vector<audit::ExportedRecord> export_story()
{
    auto records = others();
    for (auto& record : runs())
        records.push_back(std::move(record));
    records.push_back(many_decisions());
    std::vector<audit::ExportedRecord> story;
    for (std::uint64_t sequence = 0; sequence < records.size(); ++sequence) {
        auto& record = records[sequence];
        record.time = from_unix_seconds(1'790'000'000 + static_cast<std::int64_t>(sequence));
        auto exported = audit::exported_record(sequence, std::string(origin), audit::to_json_text(record));
        ASSERT(exported.is_ok());
        for (auto& event : audit::events_in(std::move(*exported)))
            story.push_back(std::move(event));
    }
    return story;
}

} // namespace writ::conformance
