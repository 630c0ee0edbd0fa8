// SPDX-License-Identifier: Apache-2.0
//
// What an agent keeps on its own disk: its identity, and the runs it watches, so that a killed agent that comes back knows both. JSON, mode
// 0600.
#pragma once

#include "agent/authority_client.h"
#include "attest/unix/process.h"
#include "base/durable_file.h"

namespace writ::agent {

struct WatchedRun {
    std::string id;
    std::string workload; // SPIFFE ID
    std::string workload_name;
    std::string purpose;
    attest::ProcessIdentity process;
    uid_t uid = static_cast<uid_t>(-1);
    Timestamp started;
    Timestamp expires; // of the lease that ends first
    std::vector<std::string> leases;
};

// not_found: this agent never joined.
Result<AgentIdentity> load_identity(Path const& folder);
Result<> save_identity(Path const& folder, AgentIdentity const&);

Result<std::vector<WatchedRun>> load_runs(Path const& folder); // none: empty
Result<> save_runs(Path const& folder, std::vector<WatchedRun> const&);

} // namespace writ::agent
