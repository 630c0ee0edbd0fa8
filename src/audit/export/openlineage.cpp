// SPDX-License-Identifier: Apache-2.0
//
// OpenLineage 2 run events. A run is a run; a request outside of any is one by its trace. What was decided and which credential left are
// facets of the run, whose schema is docs/formats/openlineage-facet.json.
#include "audit/export/event.h"
#include "base/version.h"
#include "crypto/digest.h"

#include <algorithm>

namespace writ::audit {

namespace {

constexpr std::string_view event_schema = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent";
constexpr std::string_view writ_schema = "urn:writ:openlineage-facet:1#/$defs/";
constexpr std::string_view facet_schemas = "https://openlineage.io/spec/facets/";

std::string producer() { return "urn:writ:" + std::string(version_text); }

JsonObject facet(std::string schema) { return { { "_producer", producer() }, { "_schemaURL", std::move(schema) } }; }
JsonObject writ_facet(std::string_view name) { return facet(std::string(writ_schema) + std::string(name)); }
JsonObject core_facet(std::string_view file_and_name) { return facet(std::string(facet_schemas) + std::string(file_and_name)); }

// SPEC: RFC 9562 §5.8: version 8 is ours to fill. The same run has the same id in every event.
std::string run_uuid(ExportedRecord const& exported)
{
    auto const& record = exported.record;
    auto const name = exported.origin + "\n" + (record.run.empty() ? "trace\n" + record.trace : "run\n" + record.run);
    auto digest = crypto::sha256(as_bytes(name));
    digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0fU) | 0x80U);
    digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3fU) | 0x80U);
    auto const hex = to_hex(BytesView(digest).first(16));
    return hex.substr(0, 8) + "-" + hex.substr(8, 4) + "-" + hex.substr(12, 4) + "-" + hex.substr(16, 4) + "-" + hex.substr(20);
}

std::string_view event_type(Record const& record)
{
    switch (record.type) {
    case RecordType::run_start:
        return "START";
    case RecordType::run_end:
        return record.outcome.empty() || record.outcome == "ok" ? "COMPLETE" : "ABORT";
    case RecordType::issuance:
        return record.run.empty() ? "OTHER" : "RUNNING";
    default:
        return "OTHER";
    }
}

JsonObject decision_facet(ExportedRecord const& exported)
{
    auto const& record = exported.record;
    auto decision = writ_facet("DecisionRunFacet");
    decision.emplace("record", exported.sequence);
    decision.emplace("eventId", id_of(exported));
    decision.emplace("log", exported.origin);
    decision.emplace("recordType", to_string(record.type));
    if (record.allowed)
        decision.emplace("decision", *record.allowed ? "allow" : "deny");
    add_text(decision, "action", record.action);
    if (record.resource)
        add_text(decision, "resource", name_of(*record.resource));
    add_text(decision, "purpose", record.purpose);
    add_text(decision, "workload", record.workload);
    add_text(decision, "trace", record.trace);
    JsonArray policies;
    for (auto const& policy : record.policies)
        policies.emplace_back(policy);
    if (!policies.empty())
        decision.emplace("policies", std::move(policies));
    if (record.policy_version != 0)
        decision.emplace("policyVersion", record.policy_version);
    add_text(decision, "reason", record.reason);
    return decision;
}

JsonObject credential_facet(Record const& record)
{
    auto credential = writ_facet("CredentialRunFacet");
    credential.emplace("kind", record.credential->kind);
    credential.emplace("id", record.credential->id);
    add_text(credential, "scope", record.credential->scope);
    add_text(credential, "lease", record.credential->lease);
    if (record.credential->expires)
        credential.emplace("expires", to_rfc3339(*record.credential->expires));
    if (record.type == RecordType::revocation)
        credential.emplace("ended", to_rfc3339(record.time));
    return credential;
}

JsonObject run_of(ExportedRecord const& exported)
{
    JsonObject facets { { "writ_decision", decision_facet(exported) } };
    if (exported.record.credential)
        facets.emplace("writ_credential", credential_facet(exported.record));
    return { { "runId", run_uuid(exported) }, { "facets", std::move(facets) } };
}

std::string namespace_of(ExportedRecord const& exported) { return "writ://" + trust_domain_of(exported); }

JsonObject job_of(ExportedRecord const& exported)
{
    auto type = core_facet("2-0-4/JobTypeJobFacet.json#/$defs/JobTypeJobFacet");
    type.emplace("processingType", "BATCH");
    type.emplace("integration", "WRIT");
    type.emplace("jobType", "WORKLOAD");
    auto name = subject_of(exported.record);
    return { { "namespace", namespace_of(exported) }, { "name", name.empty() ? "unknown" : std::move(name) },
        { "facets", JsonObject { { "jobType", std::move(type) } } } };
}

JsonObject dataset_of(ExportedRecord const& exported, RecordedEntity const& entity)
{
    auto type = core_facet("1-0-1/DatasetTypeDatasetFacet.json#/$defs/DatasetTypeDatasetFacet");
    auto name = entity.type;
    std::ranges::transform(name, name.begin(), [](unsigned char letter) { return static_cast<char>(std::toupper(letter)); });
    type.emplace("datasetType", std::move(name));
    JsonObject facets { { "datasetType", std::move(type) } };
    if (!entity.version.empty()) {
        auto version = core_facet("1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet");
        version.emplace("datasetVersion", entity.version);
        facets.emplace("version", std::move(version));
    }
    return { { "namespace", namespace_of(exported) }, { "name", entity.id }, { "facets", std::move(facets) } };
}

bool is_output(std::string_view action) { return action == "write" || action == "sign" || action == "promote" || action == "deploy"; }

// Lineage is what may have been touched: a denial touches nothing.
bool has_touched(Record const& record)
{
    if (record.type == RecordType::decision)
        return record.allowed == true;
    return record.type == RecordType::issuance;
}

} // namespace

std::string openlineage_event(ExportedRecord const& exported)
{
    auto const& record = exported.record;
    if (record.type == RecordType::administration || record.type == RecordType::startup || record.type == RecordType::retention || (record.run.empty() && record.trace.empty()))
        return "";
    JsonArray inputs, outputs;
    if (has_touched(record) && record.resource)
        (is_output(record.action) ? outputs : inputs).push_back(dataset_of(exported, *record.resource));
    if (has_touched(record) && record.model && record.model != record.resource)
        inputs.push_back(dataset_of(exported, *record.model));
    return to_text(JsonObject { { "eventType", event_type(record) }, { "eventTime", to_rfc3339(record.time) }, { "producer", producer() },
        { "schemaURL", event_schema }, { "run", run_of(exported) }, { "job", job_of(exported) }, { "inputs", std::move(inputs) },
        { "outputs", std::move(outputs) } });
}

} // namespace writ::audit
