// SPDX-License-Identifier: Apache-2.0
//
// Runs: started with everything their workload uses, kept alive by their agent, ended with all that they were given.
#pragma once

#include "authority/lease_keeper.h"
#include "authority/refusal_meter.h"

namespace writ::authority {

struct RunRequest {
    std::string agent; // SPIFFE ID of the caller
    std::string trace, request; // ids, as records have them
    identity::Claims claims;
    std::optional<std::uint64_t> rank; // as the job says; on record, and nothing decides by it
    std::string purpose;
    std::string workload;            // name or id, where several match; may be empty
    std::vector<identity::Use> uses; // empty: what the workload declares
    SecretText token {}; // of a PromisedRun, whose purpose and uses are then the run's; empty: none
    std::string address;             // of the agent
};

struct Denial {
    std::string action;
    cedar::EntityUid resource;
    std::vector<cedar::MissingFact> missing;
    std::optional<std::uint64_t> record;
    bool is_counted = false; // it has no record of its own: the count of its user's is one
};

struct StartedRun {
    identity::Run run;
    Duration svid_lifetime {};
    std::vector<Grant> grants;
    // Not empty: nothing was started or given.
    std::vector<Denial> denials;
};

// A run that is decided on before it starts: whoever brings the token starts it, once, if it is the same workload and policy still allows it.
struct PromisedRun {
    std::string id;
    std::string workload; // SPIFFE ID
    SecretText token;
    Timestamp expires;
    std::uint64_t record = 0;
    // Not empty: nothing was promised.
    std::vector<Denial> denials;
};

// LIMIT: how long a scheduler may take, and how many such runs may wait: of one workload no more than of ten together.
inline constexpr Duration promise_lifetime_max = std::chrono::days(7);
inline constexpr std::size_t promises_max = 10'000;
inline constexpr std::size_t workload_promises_max = promises_max / 10;

class RunRegistry {
public:
    RunRegistry(AuthorityState& state, LeaseKeeper& leases)
        : state_(state)
        , leases_(leases)
    {
    }
    RunRegistry(RunRegistry const&) = delete;
    RunRegistry& operator=(RunRegistry const&) = delete;

    // All of the uses are decided on and recorded; if one is denied, none is served. conflict: several workloads match and none is named.
    net::Task<Result<StartedRun>> start(RunRequest);

    // Decides on all of the uses, as at the run's start, and gives nothing but a token. On record before the token leaves.
    net::Task<Result<PromisedRun>> promise(RunRequest, Duration lifetime);

    // Decides again on each lease, by today's policies: what is still allowed is prolonged, what is not is taken back. not_found: no live
    // run of that agent.
    net::Task<Result<std::vector<identity::Lease>>> renew(std::string run, std::string agent, std::string trace, std::string address);

    // Ids of the leases taken back. `agent` empty: by an administrator. Ending a run that has ended does nothing.
    net::Task<Result<std::vector<std::string>>> end(std::string run, std::string agent, std::string caller, std::string reason);

    // Ends all runs of the agent that are not among `live`; their ids.
    net::Task<Result<std::vector<std::string>>> sync(std::string agent, std::vector<std::string> live);

    // Puts on record how many refusals had none of their own, and how many requests came too fast, for ever. Spawned once.
    net::Task<> keep_counts();
    net::Task<> record_counts();

private:
    struct Considered;
    net::Task<Result<Considered>> consider(RunRequest request, std::string run);
    Result<> check_room_for_promise(std::string const& workload);
    Result<std::string> honour(RunRequest& request, std::string const& workload);
    net::Task<Result<StartedRun>> refuse(RunRequest request, std::string purpose, cedar::MissingFact fact);
    net::Task<Result<>> record_end(identity::Run run, std::string caller, std::string reason);

    AuthorityState& state_;
    LeaseKeeper& leases_;
    RefusalMeter refusals_;
};

JsonObject to_json(identity::Run const&);
// The member `uses`: of each its action and resource.
Result<std::vector<identity::Use>> parse_uses(JsonObject const&);

} // namespace writ::authority
