// SPDX-License-Identifier: Apache-2.0
//
// Gives credentials of other systems to runs, and takes every one of them back: when its run ends, when somebody revokes it, when it
// expires, and when the authority finds after a crash that it had only begun to give it.
#pragma once

#include "authority/decision.h"
#include "authority/lease_clock.h"

#include <set>

namespace writ::authority {

// LIMIT: a credential for the longest-lived run is renewed, never this long at once.
inline constexpr Duration lease_lifetime_max = std::chrono::hours(24);

// What is fetched when the job's clients ask for it, and again before it ends (RunSessions): nobody can take it back, so it has no lease.
struct SessionGrant {
    std::string provider; // CredentialProvider
    std::string kind; // `aws_sts`
    std::map<std::string, std::string> environment;
    bool is_delivered = false; // as files and variables of the run, which the agent fetches before the job starts
};

struct Grant {
    std::string action;
    cedar::EntityUid resource;
    std::optional<std::uint64_t> decision; // sequence number of its record; none: it is in the spool
    // Absent: the resource has no credential; the decision is all there is.
    std::optional<identity::Lease> lease;
    issue::Credential credential;
    std::optional<SessionGrant> session;
};

struct TakenBack {
    std::vector<std::string> ended;
    std::vector<std::string> late; // written down as to be taken back; keep() sees to it
    std::optional<Error> failed; // why one of them is late
};

class LeaseKeeper {
public:
    explicit LeaseKeeper(AuthorityState& state)
        : state_(state)
        , lease_clock_(state.clock.now(), state.clock.monotonic())
    {
    }
    LeaseKeeper(LeaseKeeper const&) = delete;
    LeaseKeeper& operator=(LeaseKeeper const&) = delete;

    // INVARIANT: decision on record (the caller's) → intent in the store → credential → issuance on record → credential leaves.
    net::Task<Result<Grant>> give(std::shared_ptr<Snapshot const>, Question, Answer);

    // Whether a lease of this kind ends by itself and is never prolonged: of a token, which the next one replaces.
    [[nodiscard]] bool ends_by_itself(std::string const& kind) const { return revocable_issuer(kind) == nullptr && state_.issuers.contains(kind); }

    // Prolongs a lease that the caller has decided on again.
    net::Task<Result<identity::Lease>> prolong(std::shared_ptr<Snapshot const>, identity::Lease);

    // Takes back all open leases of a run, or one; ids of those it took. A system that does not answer is asked again by keep(); until
    // then the lease's reason says what it said.
    net::Task<Result<std::vector<std::string>>> take_back_run(std::string run, std::string caller, std::string reason);
    net::Task<Result<std::string>> take_back(std::string lease, std::string caller, std::string reason);
    // The same of all that the filter names and that are meant, several at the same time. A system that does not answer is not waited for once for each.
    using IsMeant = std::function<bool(identity::Lease const&)>;
    net::Task<Result<TakenBack>> take_back_all(store::LeaseFilter filter, IsMeant is_meant, std::string caller, std::string reason);

    // An administrator's word that what is being taken back never will be: its system is gone for good. On record. conflict: nobody is taking it back.
    net::Task<Result<std::string>> abandon(std::string lease, std::string caller, std::string reason);

    // Takes back what is due, for ever, and forgets what ended long ago. Spawned once. A CredentialProvider whose system does not answer keeps no other's leases waiting.
    net::Task<> keep(net::EventLoop* loop);

private:
    // Leases somebody is creating or revoking at this moment, and CredentialProviders whose leases keep() takes back.
    struct Hands {
        std::set<std::string> leases, providers;
        net::Notification put_down;
    };
    class InHand;
    class Turn;
    struct Taking;
    net::Task<> take_in_turn(Taking* taking);
    void take_in_hand(Taking& taking);
    [[nodiscard]] bool is_silent(std::string const& provider) const;
    net::Task<Result<>> revoke(identity::Lease lease, std::string caller);
    net::Task<Result<std::uint64_t>> find_issuance(identity::Lease const& lease);
    void mark(identity::Lease lease, std::string const& reason, Error const& error);
    net::Task<Result<>> wait_for_hand(std::string lease);
    void failed(std::string const& provider, Error const& error);
    void answered(std::string const& provider);
    void round(net::EventLoop& loop);
    void write_down_late(std::vector<identity::Lease>& due);
    static net::Task<> take_back_due(LeaseKeeper* keeper, std::unique_ptr<Turn> turn, std::vector<identity::Lease> leases);
    net::Task<> take_back_one(identity::Lease lease);
    void forget_ended();
    [[nodiscard]] issue::RevocableIssuer* revocable_issuer(std::string const& kind) const; // null: none

    struct Retry {
        std::string provider;
        Monotonic next {};
        Duration wait {};
    };
    struct Silence {
        Monotonic next {};
        Duration wait {};
        int failures = 0; // in a row
    };
    [[nodiscard]] Monotonic turn_of(identity::Lease const& lease) const;

    AuthorityState& state_;
    LeaseClock lease_clock_;
    Monotonic forgotten_ {}; // when what ended long ago was last looked for
    std::map<std::string, Retry> retries_; // leases that could not be taken back, and when to try again
    std::map<std::string, Silence> silent_; // CredentialProviders whose system has not answered, and is not waited for again before
    std::shared_ptr<Hands> const hands_ = std::make_shared<Hands>();
};

JsonObject to_json(identity::Lease const&);

} // namespace writ::authority
