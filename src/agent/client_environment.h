// SPDX-License-Identifier: Apache-2.0
//
// What a job's clients are told, whichever clouds its run has sessions or tokens at: addresses of the local endpoint, and the run's handle.
#pragma once

#include "agent/agent_files.h"
#include "base/secret.h"

#include <map>

namespace writ::agent {

std::map<std::string, std::string> client_environment(WatchedRun const& run, std::uint16_t loopback_port, SecretText const& handle);

} // namespace writ::agent
