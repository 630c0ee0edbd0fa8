// SPDX-License-Identifier: Apache-2.0
//
// Taking back, at once, what a run, a workload, a data set, a model, a node or a single credential opens: leases end now, and runs with them. What nobody can take back (sessions
// at clouds, SVIDs) is named with its end.
#pragma once

#include "authority/lease_keeper.h"
#include "authority/run_registry.h"

namespace writ::authority {

// One of them is not empty.
struct RevocationTarget {
    std::string run;
    std::string workload; // SPIFFE ID
    std::string dataset;
    std::string model;
    std::string node; // SPIFFE ID of its agent
    std::string credential; // lease, role, access key, certificate's serial
};

// A credential without a lease whose end has not come, as its issuance is on record.
struct LiveCredential {
    std::string kind, id, scope, workload, run;
    std::string node; // who had it issued
    Timestamp expires;
};

struct LiveCredentials {
    std::vector<LiveCredential> found; // last to end first
    // There were more issuances than are looked at: of those before this moment nothing is said.
    std::optional<Timestamp> unknown_before;
};

struct Revocation {
    std::vector<std::string> runs; // ended
    std::vector<std::string> leases; // taken back
    std::vector<std::string> late; // leases whose system does not answer: asked again until it does
    LiveCredentials remaining;
    bool is_node_banned = false; // its agent is not listened to until it joins anew
};

// LIMIT: issuances that are looked at for what lives on.
inline constexpr std::size_t live_issuances_max = 50'000;
// Of the last 24 hours' issuances, which is as long as anything lives that has no lease.
net::Task<Result<LiveCredentials>> live_credentials(AuthorityState&, RevocationTarget, std::size_t issuances_max = live_issuances_max);

// On record with what remains, and until when. Agents hear of it, and stop serving what they keep.
net::Task<Result<Revocation>> revoke(AuthorityState&, LeaseKeeper&, RunRegistry&, RevocationTarget, std::string caller, std::string reason);

JsonArray to_json(std::vector<LiveCredential> const&);
// As an answer has it beside them: a time, or null.
JsonValue unknown_before(LiveCredentials const&);

} // namespace writ::authority
