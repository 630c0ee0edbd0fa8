// SPDX-License-Identifier: Apache-2.0
//
// Sessions at clouds, for runs that live: decided anew each time one is asked for, recorded before it leaves, and kept by nobody here. What cannot
// be taken back needs no lease; it ends by itself.
#pragma once

#include "authority/run_registry.h"

namespace writ::authority {

struct SessionRequest {
    std::string run;
    std::string agent; // SPIFFE ID of the caller
    std::string trace;
    std::vector<identity::Use> uses; // of one CredentialProvider
    std::string address {}; // of the agent
    std::optional<crypto::PublicKey> public_key {}; // that the agent made for it
};

struct OpenedSession {
    std::string kind, id, scope;
    Timestamp expires;
    SecretText document; // as issue::Credential has it, or its files and variables as JSON
    // Not empty: none of the uses is allowed, and nothing was opened.
    std::vector<Denial> denials;
};

class RunSessions {
public:
    RunSessions(AuthorityState& state, LeaseKeeper& leases)
        : state_(state)
        , leases_(leases)
    {
    }
    RunSessions(RunSessions const&) = delete;
    RunSessions& operator=(RunSessions const&) = delete;

    // One session for those of the uses that are allowed now. not_found: no live run of that agent. INVARIANT: decisions on record → session → issuances on
    // record → session leaves; it ends no later than its provider's `lifetime` and the workload's identity.
    net::Task<Result<OpenedSession>> open(SessionRequest);

private:
    struct Asked;
    net::Task<Result<>> decide(Asked& asked, std::vector<identity::Use> uses);
    net::Task<Result<OpenedSession>> issue(Asked& asked);
    [[nodiscard]] bool has_ended(std::string const& run) const;

    AuthorityState& state_;
    LeaseKeeper& leases_;
};

} // namespace writ::authority
