// SPDX-License-Identifier: Apache-2.0
#include "authority/metrics.h"

#include <string_view>

namespace writ::authority {

namespace {

void add(std::string& text, std::string_view name, std::string_view type, std::string_view help, std::uint64_t value)
{
    text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
    text.append(name).append(" ").append(std::to_string(value)).append("\n");
}

// A declared name has no quotes and no backslash.
void add_exports(std::string& text, std::string_view name, std::string_view type, std::string_view help,
    std::vector<audit::ExportStatus> const& exports, std::uint64_t audit::ExportStatus::*member)
{
    text.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
    for (auto const& status : exports)
        text.append(name).append("{export=\"").append(status.name).append("\"} ").append(std::to_string(status.*member)).append("\n");
}

} // namespace

std::string to_prometheus(std::vector<audit::ExportStatus> const& exports)
{
    using audit::ExportStatus;
    std::string text;
    if (exports.empty())
        return text;
    add_exports(text, "writ_audit_export_lag_records", "gauge", "Audit records that have not arrived there yet.", exports, &ExportStatus::lag);
    add_exports(text, "writ_audit_export_events_total", "counter", "Events that have arrived there.", exports, &ExportStatus::sent);
    add_exports(text, "writ_audit_export_failures_total", "counter", "Attempts that failed; they are made again.", exports, &ExportStatus::failures);
    return text;
}

std::string to_prometheus(Metrics const& metrics, std::uint64_t leases_open, std::uint64_t tree_size, std::uint64_t policy_version)
{
    std::string text;
    add(text, "writ_requests_total", "counter", "HTTP requests answered.", metrics.requests);
    add(text, "writ_requests_failed_total", "counter", "HTTP requests answered with a status of 400 or above.", metrics.requests_failed);
    add(text, "writ_decisions_allowed_total", "counter", "Policy decisions that allowed.", metrics.decisions_allowed);
    add(text, "writ_decisions_denied_total", "counter", "Policy decisions that denied.", metrics.decisions_denied);
    add(text, "writ_x509_svids_total", "counter", "X.509-SVIDs issued.", metrics.x509_svids);
    add(text, "writ_jwt_svids_total", "counter", "JWT-SVIDs issued.", metrics.jwt_svids);
    add(text, "writ_leases_created_total", "counter", "Leases given out.", metrics.leases_created);
    add(text, "writ_leases_ended_total", "counter", "Leases revoked or expired.", metrics.leases_ended);
    add(text, "writ_revocation_failures_total", "counter", "Attempts to revoke that failed; they are tried again.",
        metrics.revocation_failures);
    add(text, "writ_sessions_opened_total", "counter", "Sessions opened at clouds.", metrics.sessions_opened);
    add(text, "writ_audit_records_total", "counter", "Audit records made durable.", metrics.audit_records);
    add(text, "writ_audit_failures_total", "counter", "Audit records that could not be made durable; nothing was issued for them.",
        metrics.audit_failures);
    add(text, "writ_leases_open", "gauge", "Leases that have not ended.", leases_open);
    add(text, "writ_audit_tree_size", "gauge", "Records in the audit log.", tree_size);
    add(text, "writ_policy_version", "gauge", "Version of the declarations in force.", policy_version);
    return text;
}

} // namespace writ::authority
