// SPDX-License-Identifier: Apache-2.0
//
// A decision, recorded before anybody learns of it.
#pragma once

#include "authority/state.h"
#include "cedar/authorizer.h"
#include "vocabulary/facts.h"

namespace writ::authority {

// Who asks or is asked about: a workload, with the claims that proved it if it was attested for this question.
struct Principal {
    std::string type = "Workload";
    std::string id;   // SPIFFE ID
    std::string name; // of the declared workload; empty: none
    std::string pipeline, team;
    std::optional<identity::Claims> claims;
};

// The workload as which an id is declared, without claims. Ids of templates are recognised by their form; of several that fit, none is
// meant.
Principal principal_of_id(Snapshot const&, std::string const& id);

struct IdentifiedWorkload {
    identity::Workload const* workload;
    identity::SpiffeId id;
};
// The declared workloads that a process with these claims is. In order of their names. Only claims of a declared trust provider count.
std::vector<IdentifiedWorkload> identify(Snapshot const&, identity::Claims const&);
Principal principal_of(IdentifiedWorkload const&, identity::Claims const&);

// As policies see it, its claims being tags.
cedar::Entity entity_of(Principal const&);
// The principal, and entities that only the caller knows, before what is declared. SECURITY: what is declared is never replaced.
cedar::EntityStore entities_for(Snapshot const&, Principal const&, std::vector<cedar::Entity> const& foreign = {});

struct Question {
    std::string trace, request; // ids: ours or the trace's, and the caller's own
    std::string caller;
    Principal principal;
    std::string run, purpose;
    std::optional<std::uint64_t> rank;
    std::string action;
    cedar::EntityUid resource;
    std::optional<audit::RecordedEntity> model;  // in play, as the next two: facts for the record, from who enforces the decision
    std::vector<audit::RecordedEntity> datasets;
    std::string endpoint;
    // Subject and resource of types that Writ's vocabulary does not have, with the properties the caller says they have: no policy that was applied can speak of them.
    std::vector<cedar::Entity> foreign;
    vocabulary::Measured measured; // of the principal
    bool is_subject_asserted = false; // nobody but the caller says that it is this principal's question
    cedar::Record context; // from an AuthZEN request; `purpose`, `run`, `time` and `posture` are the authority's to set
};

struct Answer {
    bool allowed = false;
    std::vector<std::string> policies;
    std::vector<cedar::MissingFact> missing; // of a denial
    std::optional<std::uint64_t> record; // none: it is in the spool, as long as the log cannot be written
    bool may_spool = false;              // whether all that determined it say `@outage("spool")`
};

// Decides on one snapshot, and answers once the decision's record is durable.
net::Task<Result<Answer>> decide_and_record(AuthorityState&, std::shared_ptr<Snapshot const>, Question);

// What was declared of a resource's sensitivity, for a version what was declared of the resource.
std::vector<std::string> classification_of(Snapshot const&, cedar::EntityUid const& resource);
// What an agent measured, on whose word it is, and when.
vocabulary::Measured measured_of(identity::Claims const&, std::string const& agent, std::string const& address, Timestamp attested);
// The record of what was asked, for a decision or what follows from one.
audit::Record record_of(Snapshot const&, Question const&, audit::RecordType, Timestamp);
// What a record says of a process when nothing was decided about it.
void record_posture(audit::Record&, vocabulary::Measured const&);
// What a decision was made on beside the question: context, posture, version of the policies.
void record_grounds(audit::Record&, Snapshot const&, cedar::Record const& context);
std::vector<audit::RecordedClaim> recorded_claims(std::optional<identity::Claims> const&);

JsonArray to_json(std::vector<cedar::MissingFact> const&);
// A record's number; null as long as it is in the spool.
JsonValue number_or_null(std::optional<std::uint64_t> number);
// As the store keeps it: 0, which is the record of the authority's first start, stands for none.
std::optional<std::uint64_t> known_record(std::uint64_t stored);

} // namespace writ::authority
