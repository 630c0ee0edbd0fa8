// SPDX-License-Identifier: Apache-2.0
//
// The agent's HTTP interface on a unix socket: runs and SVIDs as JSON, for `writ run`, scripts and tests. Any user may connect; who calls
// is what the kernel says.
#pragma once

#include "agent/run_watch.h"
#include "agent/svid_cache.h"
#include "attest/unix/process.h"
#include "base/log_quota.h"
#include "net/http_message.h"

namespace writ::agent {

// What the endpoints work with; all of it outlives them.
struct RunDesk {
    AgentIdentity const& identity;
    bool const& joined;
    attest::ProcessAttestor& attestor;
    RunWatch& runs;
    SessionCache& sessions;
    SvidCache& svids;
    AuthorityClient& authority;
    std::string workload_socket; // path of the Workload API's socket
    LogQuota& refusals; // lines about them, of each user
};

net::Task<net::Response> answer_run_request(RunDesk const* desk, net::Request request);

} // namespace writ::agent
