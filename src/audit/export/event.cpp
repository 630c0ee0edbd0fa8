// SPDX-License-Identifier: Apache-2.0
#include "audit/export/event.h"

#include "audit/record_items.h"
#include "tlog/merkle_tree.h"

namespace writ::audit {

namespace {

constexpr std::pair<EventFormat, std::string_view> format_names[] = { { EventFormat::json, "json" }, { EventFormat::ocsf, "ocsf" },
    { EventFormat::openlineage, "openlineage" }, { EventFormat::cef, "cef" }, { EventFormat::otlp, "otlp" } };

std::string joined(std::vector<std::string> const& events, std::string_view between)
{
    std::string text;
    for (auto const& event : events) {
        if (!text.empty())
            text += between;
        text += event;
    }
    return text;
}

std::string verb_of(Record const& record)
{
    if (record.allowed)
        return *record.allowed ? "allowed " : "denied ";
    switch (record.type) {
    case RecordType::issuance:
        return "issued ";
    case RecordType::revocation:
        return "ended ";
    default:
        return "";
    }
}

} // namespace

std::string_view to_string(EventFormat format)
{
    for (auto const& [known, name] : format_names)
        if (known == format)
            return name;
    ASSERT(false && "a format without a name");
}

Result<EventFormat> parse_event_format(std::string_view text)
{
    for (auto const& [format, name] : format_names)
        if (name == text)
            return format;
    return invalid_argument("`" + std::string(text) + "` is not a format: json, ocsf, openlineage, cef or otlp");
}

Result<ExportedRecord> exported_record(std::uint64_t sequence, std::string origin, std::string text)
{
    auto record = TRY(parse_record(text).in("audit record " + std::to_string(sequence)));
    return ExportedRecord { sequence, std::move(origin), std::move(text), std::move(record) };
}

std::vector<ExportedRecord> events_in(ExportedRecord exported)
{
    std::vector<ExportedRecord> events;
    auto singles = exported.record.items.empty() ? Result<std::vector<Record>>(std::vector<Record>()) : single_records(exported.record);
    if (singles.is_error() || singles->empty()) {
        events.push_back(std::move(exported));
        return events;
    }
    // What is verified against the log is the whole record's.
    exported.leaf_hash = to_hex(tlog::leaf_hash(as_bytes(exported.text)));
    exported.items = singles->size();
    exported.record = {};
    for (auto& record : *singles) {
        auto single = exported;
        single.item = events.size() + 1;
        single.text = to_json_text(record);
        single.record = std::move(record);
        events.push_back(std::move(single));
    }
    return events;
}

std::string to_event(EventFormat format, ExportedRecord const& exported)
{
    switch (format) {
    case EventFormat::json:
        return json_event(exported);
    case EventFormat::ocsf:
        return ocsf_event(exported);
    case EventFormat::openlineage:
        return openlineage_event(exported);
    case EventFormat::cef:
        return cef_event(exported);
    case EventFormat::otlp:
        return otlp_log_record(exported);
    }
    ASSERT(false && "a format without a function");
}

Result<BatchShape> parse_batch_shape(std::string_view text)
{
    if (text == "lines")
        return BatchShape::lines;
    if (text == "array")
        return BatchShape::array;
    if (text == "single")
        return BatchShape::single;
    return invalid_argument("`" + std::string(text) + "` is not a shape of batches: lines, array or single");
}

// What an OpenLineage collector takes is one run event a request.
BatchShape default_shape(EventFormat format) { return format == EventFormat::openlineage ? BatchShape::single : BatchShape::lines; }

std::string to_batch(EventFormat format, BatchShape shape, std::vector<std::string> const& events)
{
    if (format == EventFormat::otlp)
        return otlp_request(events);
    switch (shape) {
    case BatchShape::lines:
        return joined(events, "\n") + "\n";
    case BatchShape::array:
        return "[" + joined(events, ",") + "]";
    case BatchShape::single:
        return events.front();
    }
    ASSERT(false && "a shape without a form");
}

std::string_view content_type(EventFormat format, BatchShape shape)
{
    if (format == EventFormat::cef)
        return "text/plain; charset=utf-8";
    return shape == BatchShape::lines && format != EventFormat::otlp ? "application/x-ndjson" : "application/json";
}

std::string trust_domain_of(ExportedRecord const& exported) { return exported.origin.substr(0, exported.origin.find('/')); }

std::string subject_of(Record const& record)
{
    if (!record.workload_name.empty())
        return record.workload_name;
    return record.workload.empty() ? record.caller : record.workload;
}

std::string name_of(RecordedEntity const& entity)
{
    bool const is_in_id = entity.version.empty() || entity.id.ends_with("@" + entity.version);
    return entity.type + "::" + entity.id + (is_in_id ? "" : "@" + entity.version);
}

std::string sentence_of(Record const& record)
{
    auto text = verb_of(record);
    if (record.credential && (record.type == RecordType::issuance || record.type == RecordType::revocation))
        text += record.credential->kind + " " + record.credential->id;
    else
        text += record.action.empty() ? std::string(to_string(record.type)) : record.action;
    if (record.resource)
        text += (record.allowed ? " of " : " for ") + name_of(*record.resource);
    if (auto const subject = subject_of(record); !subject.empty())
        text += (record.type == RecordType::administration ? " by " : " to ") + subject;
    return record.reason.empty() ? text : text + ": " + record.reason;
}

std::string id_of(ExportedRecord const& exported)
{
    return exported.origin + "/" + std::to_string(exported.sequence) + (exported.item == 0 ? "" : "/" + std::to_string(exported.item));
}

std::string json_event(ExportedRecord const& exported)
{
    std::string text = R"({"id":)";
    append_json_string(text, id_of(exported));
    text += R"(,"sequence":)" + std::to_string(exported.sequence);
    if (exported.item != 0)
        text += R"(,"item":)" + std::to_string(exported.item) + R"(,"items":)" + std::to_string(exported.items);
    text += R"(,"origin":)";
    append_json_string(text, exported.origin);
    text += R"(,"leaf_hash":")" + (exported.item == 0 ? to_hex(tlog::leaf_hash(as_bytes(exported.text))) : exported.leaf_hash) + R"(","record":)";
    return text + exported.text + "}";
}

void add_text(JsonObject& object, std::string_view name, std::string_view text)
{
    if (!text.empty())
        object.emplace(name, text);
}

} // namespace writ::audit
