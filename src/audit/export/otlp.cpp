// SPDX-License-Identifier: Apache-2.0
//
// OpenTelemetry log records in the JSON encoding of OTLP 1 (ExportLogsServiceRequest): 64-bit integers as text, names in camelCase.
#include "audit/export/event.h"
#include "base/version.h"

namespace writ::audit {

namespace {

// SPEC: OpenTelemetry logs data model: INFO is 9, WARN 13.
constexpr int severity_info = 9, severity_warn = 13;

JsonObject attribute(std::string_view name, JsonObject value) { return { { "key", name }, { "value", std::move(value) } }; }

class Attributes {
public:
    void text(std::string_view name, std::string_view value)
    {
        if (!value.empty())
            array_.push_back(attribute(name, { { "stringValue", value } }));
    }
    void number(std::string_view name, std::uint64_t value)
    {
        array_.push_back(attribute(name, { { "intValue", std::to_string(value) } }));
    }
    void texts(std::string_view name, std::vector<std::string> const& values)
    {
        if (values.empty())
            return;
        JsonArray elements;
        for (auto const& value : values)
            elements.push_back(JsonObject { { "stringValue", value } });
        array_.push_back(attribute(name, { { "arrayValue", JsonObject { { "values", std::move(elements) } } } }));
    }
    JsonArray take() { return std::move(array_); }

private:
    JsonArray array_;
};

JsonArray attributes_of(ExportedRecord const& exported)
{
    auto const& record = exported.record;
    Attributes attributes;
    attributes.text("writ.log", exported.origin);
    attributes.text("writ.id", id_of(exported));
    attributes.number("writ.sequence", exported.sequence);
    attributes.text("writ.type", to_string(record.type));
    attributes.text("writ.trace", record.trace);
    attributes.text("writ.caller", record.caller);
    attributes.text("writ.workload.id", record.workload);
    attributes.text("writ.workload.name", record.workload_name);
    attributes.text("writ.pipeline", record.pipeline);
    attributes.text("writ.team", record.team);
    attributes.text("writ.run", record.run);
    attributes.text("writ.purpose", record.purpose);
    attributes.text("writ.action", record.action);
    if (record.resource)
        attributes.text("writ.resource", name_of(*record.resource));
    if (record.model)
        attributes.text("writ.model", name_of(*record.model));
    if (record.allowed)
        attributes.text("writ.decision", *record.allowed ? "allow" : "deny");
    attributes.texts("writ.policies", record.policies);
    attributes.texts("writ.policy_errors", record.policy_errors);
    if (record.policy_version != 0)
        attributes.number("writ.policy_version", record.policy_version);
    if (record.credential) {
        attributes.text("writ.credential.kind", record.credential->kind);
        attributes.text("writ.credential.id", record.credential->id);
        attributes.text("writ.credential.scope", record.credential->scope);
    }
    attributes.text("writ.outcome", record.outcome);
    return attributes.take();
}

} // namespace

std::string otlp_log_record(ExportedRecord const& exported)
{
    auto const is_warning = exported.record.allowed == false || !exported.record.policy_errors.empty();
    auto const nanoseconds = std::chrono::nanoseconds(exported.record.time.time_since_epoch()).count();
    return to_text(JsonObject { { "timeUnixNano", std::to_string(nanoseconds) }, { "observedTimeUnixNano", std::to_string(nanoseconds) },
        { "severityNumber", is_warning ? severity_warn : severity_info }, { "severityText", is_warning ? "WARN" : "INFO" },
        { "eventName", "writ." + std::string(to_string(exported.record.type)) }, { "body", JsonObject { { "stringValue", exported.text } } },
        { "attributes", attributes_of(exported) } });
}

std::string otlp_request(std::vector<std::string> const& log_records)
{
    std::string text = R"({"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"writ"}},)"
                       R"({"key":"service.version","value":{"stringValue":)";
    append_json_string(text, version_text);
    text += R"(}}]},"scopeLogs":[{"scope":{"name":"writ.audit"},"logRecords":[)";
    for (std::size_t i = 0; i < log_records.size(); ++i)
        text += (i > 0 ? "," : "") + log_records[i];
    return text + "]}]}]}";
}

} // namespace writ::audit
