// SPDX-License-Identifier: Apache-2.0
//
// A run's own identity for somebody else: its JWT-SVID, for clients that ask the local endpoint as they would ask a cloud.
#pragma once

#include "agent/loopback.h"

namespace writ::agent {

// Of the run's first process as the kernel shows it now. permission_denied: it is not the run's workload (any more).
net::Task<Result<SecretText>> run_identity_token(LoopbackDesk& desk, WatchedRun run, std::string audience);

} // namespace writ::agent
