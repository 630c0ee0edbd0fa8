// SPDX-License-Identifier: Apache-2.0
#include "audit/export/syslog.h"

namespace writ::audit {

namespace {

// SPEC: RFC 5424 §6.2.1: facility 13, log audit; severity 4 warning, 6 informational.
constexpr int facility_audit = 13, severity_warning = 4, severity_informational = 6;
constexpr std::size_t host_length_max = 255;
// SPEC: RFC 5424 §7.3.1: "sequenceId … MUST be reset to 1 when it reaches 2147483647".
constexpr std::uint64_t sequence_id_max = 2'147'483'647;

} // namespace

std::string syslog_host(std::string const& origin)
{
    std::string host;
    for (auto const character : origin.substr(0, origin.find('/')))
        if (character > ' ' && character < 0x7f && host.size() < host_length_max)
            host += character;
    return host.empty() ? "-" : host;
}

std::string syslog_message(OutgoingEvent const& event, std::string const& host)
{
    auto const priority = facility_audit * 8 + (event.is_warning ? severity_warning : severity_informational);
    return "<" + std::to_string(priority) + ">1 " + to_rfc3339(event.time) + " " + host + " writ - " + std::string(to_string(event.type))
        + " [meta sequenceId=\"" + std::to_string(event.sequence % sequence_id_max + 1) + "\"] " + event.text;
}

std::string syslog_frame(std::string const& message) { return std::to_string(message.size()) + " " + message; }

} // namespace writ::audit
