// SPDX-License-Identifier: Apache-2.0
#include "audit/export/transport.h"

namespace writ::audit {

std::unique_ptr<Transport> create_transport(ExportSpecification const& specification, std::string const& origin, Clock const& clock)
{
    switch (specification.destination.kind) {
    case Destination::Kind::file:
        return create_file_transport(specification);
    case Destination::Kind::http:
        return create_http_transport(specification, clock);
    case Destination::Kind::syslog:
        return create_syslog_transport(specification, origin, clock);
    case Destination::Kind::kafka:
        return create_kafka_transport(specification, origin);
    }
    ASSERT(false && "a destination without a transport");
}

} // namespace writ::audit
