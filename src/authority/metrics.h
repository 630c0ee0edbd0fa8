// SPDX-License-Identifier: Apache-2.0
//
// Counters since start, for /metrics. Numbers of one thread.
#pragma once

#include "audit/export/exporter.h"

#include <cstdint>
#include <string>

namespace writ::authority {

struct Metrics {
    std::uint64_t requests = 0;
    std::uint64_t requests_failed = 0; // status 400 and above
    std::uint64_t decisions_allowed = 0;
    std::uint64_t decisions_denied = 0;
    std::uint64_t x509_svids = 0;
    std::uint64_t jwt_svids = 0;
    std::uint64_t leases_created = 0;
    std::uint64_t leases_ended = 0;
    std::uint64_t revocation_failures = 0;
    std::uint64_t sessions_opened = 0; // at clouds
    std::uint64_t audit_records = 0;
    std::uint64_t audit_failures = 0;
};

// Prometheus text exposition 0.0.4.
std::string to_prometheus(Metrics const&, std::uint64_t leases_open, std::uint64_t tree_size, std::uint64_t policy_version);
// One sample for each export, by its name.
std::string to_prometheus(std::vector<audit::ExportStatus> const&);

} // namespace writ::authority
