// SPDX-License-Identifier: Apache-2.0
//
// A record in the words of other systems: pure functions from a record to one event, on one line. docs/formats/audit-export.md says what
// becomes of each member. Thread-safe.
#pragma once

#include "audit/record.h"

#include <string>
#include <vector>

namespace writ::audit {

enum class EventFormat : std::uint8_t {
    json,        // the record as it lies in the log, with its place and its leaf hash
    ocsf,        // Open Cybersecurity Schema Framework: API Activity, Authentication, Authorize Session, Entity Management
    openlineage, // run events; only of records that belong to a run or a request
    cef,         // ArcSight Common Event Format
    otlp,        // OpenTelemetry log records
};
inline constexpr EventFormat event_formats[]
    = { EventFormat::json, EventFormat::ocsf, EventFormat::openlineage, EventFormat::cef, EventFormat::otlp };
std::string_view to_string(EventFormat);
Result<EventFormat> parse_event_format(std::string_view);

struct ExportedRecord {
    std::uint64_t sequence = 0;
    std::string origin; // the log's
    std::string text;   // as it lies in the log
    Record record;
    std::size_t item = 0; // of a record of many decisions: which one, from 1; 0: the whole record
    std::size_t items = 0; // of how many
    std::string leaf_hash {}; // of the whole record, if this is one of its decisions
};
// The same whenever and however often it is sent: `ORIGIN/NUMBER`, of one decision of many `ORIGIN/NUMBER/ITEM`.
std::string id_of(ExportedRecord const&);
// corruption: the entry is no record.
Result<ExportedRecord> exported_record(std::uint64_t sequence, std::string origin, std::string text);

// A record of many decisions as one record for each, with the text that it would have alone; any other as it is.
std::vector<ExportedRecord> events_in(ExportedRecord);

// Empty if the format has no event for it.
std::string to_event(EventFormat, ExportedRecord const&);

// What the transports that send several events at once make of them.
enum class BatchShape : std::uint8_t {
    lines, // one event a line
    array, // a JSON array
    single // one event a request
};
Result<BatchShape> parse_batch_shape(std::string_view);
BatchShape default_shape(EventFormat);
// REQUIRES: at least one event; with `single` exactly one.
std::string to_batch(EventFormat, BatchShape, std::vector<std::string> const& events);
std::string_view content_type(EventFormat, BatchShape);

// The host part of a log's origin: the trust domain.
std::string trust_domain_of(ExportedRecord const&);
// `allowed read of Dataset::"oncology/biopsies" to biopsy-classifier`
std::string sentence_of(Record const&);
// The declared name of who it is about, else its SPIFFE ID, else who asked.
std::string subject_of(Record const&);
std::string name_of(RecordedEntity const&); // `Dataset::oncology/biopsies@4`

// One for each format.
std::string json_event(ExportedRecord const&);
std::string ocsf_event(ExportedRecord const&);
std::string openlineage_event(ExportedRecord const&);
std::string cef_event(ExportedRecord const&);
std::string otlp_log_record(ExportedRecord const&);
std::string otlp_request(std::vector<std::string> const& log_records); // ExportLogsServiceRequest, JSON

// Leaves out what is empty.
void add_text(JsonObject&, std::string_view name, std::string_view text);

} // namespace writ::audit
