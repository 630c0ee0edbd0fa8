// SPDX-License-Identifier: Apache-2.0
//
// What the names that an administrator gives stand for. SECURITY: a name that nothing knows is an error, or whoever mistyped it would read that nothing lives on.
#pragma once

#include "authority/revocation.h"

#include <set>

namespace writ::authority {

// The SPIFFE IDs of a workload, named by its declared name or by an ID: of all that is live, and of all that was given out within the last 24 hours. not_found: neither
// declarations, runs nor the log know the name.
net::Task<Result<std::set<std::string>>> workload_ids(AuthorityState&, std::string name);

// One for each SPIFFE ID of a workload, one of anything else. not_found: as above, for data sets and models alike, and for a credential that is not live.
net::Task<Result<std::vector<RevocationTarget>>> known_targets(AuthorityState&, RevocationTarget);

// Leases of a workload by name or ID, or of all if empty, newest first.
struct LeasePage {
    std::vector<identity::Lease> leases;
    std::set<std::string> workloads; // whose they are; empty: everybody's
    bool is_cut = false;             // there are more
};
net::Task<Result<LeasePage>> leases_of(AuthorityState&, store::LeaseFilter);

} // namespace writ::authority
