// SPDX-License-Identifier: Apache-2.0
//
// How Databricks' own clients get a run's token from the agent: as from a metadata service (DATABRICKS_METADATA_SERVICE_URL). They name a workspace; the run has a token for
// it or not.
#pragma once

#include "agent/loopback.h"

#include <map>

namespace writ::agent {

// What places of theirs are called.
inline constexpr std::string_view databricks_client = "databricks";
inline constexpr std::string_view databricks_path = "/databricks/v1/token/"; // and the run's handle, since these clients send none

// What a job's clients are told: an address, with the run's handle, which by itself opens nothing.
std::map<std::string, std::string> databricks_environment(std::uint16_t loopback_port, SecretText const& handle);

// SPEC: Databricks SDKs, metadata service, version 1: headers X-Databricks-Metadata-Version and X-Databricks-Host. `caller` was identified by its process and its handle.
net::Task<net::Response> answer_databricks(LoopbackDesk& desk, LoopbackCaller caller, net::Request request);

} // namespace writ::agent
