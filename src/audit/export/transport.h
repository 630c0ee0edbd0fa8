// SPDX-License-Identifier: Apache-2.0
//
// How events travel. One folderless file each: file, http, syslog, kafka. Used on the exporter's loop alone; nothing here may block it for
// longer than a local disk does.
#pragma once

#include "audit/export/destination.h"
#include "net/task.h"

#include <memory>

namespace writ::audit {

struct OutgoingEvent {
    std::uint64_t sequence = 0;
    RecordType type = RecordType::decision;
    Timestamp time;
    bool is_warning = false;
    std::string text;
};

class Transport {
public:
    virtual ~Transport() = default;

    // All events, in their order, or an error. After an error nobody knows how many have arrived, and the caller sends all of them again.
    // A success means that the destination has said so, or, where it says nothing (syslog), that the kernel has taken them.
    virtual net::Task<Result<>> send(std::vector<OutgoingEvent> const& events) = 0;

    // LIMIT: of one call, but for the events of its last record, which stay together.
    [[nodiscard]] virtual std::size_t events_max() const { return 500; }
    // Whether what the last successful call sent may be lost if the next one fails: then it is sent again, too.
    [[nodiscard]] virtual bool is_unacknowledged() const { return false; }
};

// `origin` is the log's. Errors are found when sending: a destination that is down, or a file that is not there yet, is no reason not to begin.
std::unique_ptr<Transport> create_transport(ExportSpecification const&, std::string const& origin, Clock const&);

std::unique_ptr<Transport> create_file_transport(ExportSpecification const&);
std::unique_ptr<Transport> create_http_transport(ExportSpecification const&, Clock const&);
std::unique_ptr<Transport> create_syslog_transport(ExportSpecification const&, std::string const& origin, Clock const&);
std::unique_ptr<Transport> create_kafka_transport(ExportSpecification const&, std::string const& origin);

} // namespace writ::audit
