// SPDX-License-Identifier: Apache-2.0
//
// Where an export goes, as it is declared:
//   file:///var/log/writ/audit.jsonl     https://siem.example/events     http://127.0.0.1:4318/v1/logs (loopback only)
//   syslog+tls://logs.example:6514       syslog+tcp://127.0.0.1:601      syslog+unix:///dev/log     kafka+tls://b1:9093,b2:9093/topic
// Without TLS only on this machine: kafka://127.0.0.1:9092/topic
#pragma once

#include "audit/export/event.h"
#include "base/durable_file.h"
#include "net/address.h"

#include <optional>
#include <set>

namespace writ::audit {

struct Destination {
    enum class Kind : std::uint8_t { file, http, syslog, kafka };
    Kind kind = Kind::file;
    std::string text; // as declared
    bool is_tls = false;
    net::Address address; // of http and syslog
    std::string path;     // of the file; path and query of the URL
    std::string brokers;  // `b1:9092,b2:9092`
    std::string topic;
    bool operator==(Destination const&) const = default;
};
Result<Destination> parse_destination(std::string_view);

// All given members must match; of a list one.
struct ExportFilter {
    std::vector<RecordType> types;
    std::optional<bool> allowed; // only decisions, if given
    std::vector<std::string> workloads; // SPIFFE IDs or declared names
    std::vector<std::string> teams, pipelines, purposes;
    std::vector<std::string> resources; // `Type::id` or id
    [[nodiscard]] bool matches(Record const&) const;
    bool operator==(ExportFilter const&) const = default;
};

// One export as declared. Credentials are files, read when they are needed: who renews them need not tell us.
struct ExportSpecification {
    std::string name;
    EventFormat format = EventFormat::json;
    Destination destination;
    BatchShape shape = BatchShape::lines; // of http
    bool is_compressed = false;           // of http: gzip
    bool begins_now = false;              // without what was recorded before it was first declared
    ExportFilter filter;
    std::string ca_file;                    // PEM; empty: the system's
    std::string certificate_file, key_file; // PEM: what we show of ourselves
    std::string token_file;                 // of http: bearer token
    std::string user, password_file;        // of kafka: SASL
    std::string sasl_mechanism;             // SCRAM-SHA-256, SCRAM-SHA-512 or PLAIN
    bool operator==(ExportSpecification const&) const = default;
};

} // namespace writ::audit
