// SPDX-License-Identifier: Apache-2.0
//
// A syslog message (RFC 5424) around an event, and its frame on a stream (RFC 6587 §3.4.1, RFC 5425 §4.3). Thread-safe.
#pragma once

#include "audit/export/transport.h"

namespace writ::audit {

std::string syslog_message(OutgoingEvent const&, std::string const& host);
std::string syslog_frame(std::string const& message); // `MSG-LEN SP SYSLOG-MSG`
// The log's origin as HOSTNAME can have it: printable ASCII, 255 characters.
std::string syslog_host(std::string const& origin);

} // namespace writ::audit
