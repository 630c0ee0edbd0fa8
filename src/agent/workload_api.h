// SPDX-License-Identifier: Apache-2.0
//
// The SPIFFE Workload API (SPIFFE_Workload_API §4 to §6): gRPC on a unix socket, its callers known by their pid. Streams are pushed anew
// when half of an SVID's life is over, and when declarations or bundle change. Who asks for receipts gets them as metadata.
#pragma once

#include "agent/svid_cache.h"
#include "attest/unix/process.h"
#include "net/grpc.h"

namespace writ::agent {

// What the methods work with; all of it outlives them.
struct WorkloadDesk {
    AuthorityClient& authority;
    AgentIdentity const& identity;
    bool const& joined;
    attest::ProcessAttestor& attestor;
    SvidCache& svids;
    net::Notification const& changed;
    Clock const& clock;
};

void add_workload_api(net::GrpcServer&, WorkloadDesk const*);

} // namespace writ::agent
