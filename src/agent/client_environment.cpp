// SPDX-License-Identifier: Apache-2.0
#include "agent/client_environment.h"

#include "agent/aws_endpoint.h"
#include "agent/azure_endpoint.h"
#include "agent/databricks_endpoint.h"
#include "agent/google_endpoint.h"

#include <algorithm>

namespace writ::agent {

std::map<std::string, std::string> client_environment(WatchedRun const& run, std::uint16_t loopback_port, SecretText const& handle)
{
    std::map<std::string, std::string> environment;
    if (auto const providers = run.providers_of(aws_session_kind); !providers.empty())
        environment.merge(aws_environment(loopback_port, providers.front(), handle));
    if (!run.providers_of(google_session_kind).empty())
        environment.merge(google_environment(loopback_port));
    if (!run.providers_of(azure_session_kind).empty())
        environment.merge(azure_environment(loopback_port, handle));
    if (std::any_of(run.places.begin(), run.places.end(), [](auto const& place) { return place.client == databricks_client; }))
        environment.merge(databricks_environment(loopback_port, handle));
    return environment;
}

} // namespace writ::agent
