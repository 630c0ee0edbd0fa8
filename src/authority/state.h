// SPDX-License-Identifier: Apache-2.0
//
// What all of the authority's parts stand on. One thread: that of its event loop.
#pragma once

#include "audit/audit_log.h"
#include "audit/export/exporter.h"
#include "authority/keyring.h"
#include "authority/metrics.h"
#include "authority/outage.h"
#include "authority/record_meter.h"
#include "authority/replay_desk.h"
#include "authority/secret_keeper.h"
#include "authority/snapshot.h"
#include "authority/witnessing.h"
#include "base/random.h"
#include "issue/credential_issuer.h"
#include "net/notification.h"
#include "store/store.h"

#include <map>
#include <memory>
#include <string>

namespace writ::authority {

// What decides: made for a snapshot when it first decides.
struct Deciding {
    std::shared_ptr<Snapshot const> snapshot;
    std::unique_ptr<cedar::Decider> decider;
};

struct AuthorityState {
    Clock const& clock;
    RandomSource& random;
    std::string trust_domain;
    std::string issuer; // URL under which the public listener is reached: `iss`, and the audience of tokens meant for the authority
    store::Store store;
    std::unique_ptr<audit::AuditLog> audit;
    Path log_folder; // the audit log's, for whoever fetches its tiles
    Keyring keys;
    // By kind of CredentialProvider: `postgres_role`.
    std::map<std::string, std::unique_ptr<issue::CredentialIssuer>, std::less<>> issuers;
    std::shared_ptr<Snapshot const> snapshot;
    net::Notification changed; // the snapshot or the keys
    Metrics metrics;
    std::optional<audit::Salt> salt {}; // of the audit log's redacted values; there wherever there is a log
    std::unique_ptr<Witnessing> witnessing {}; // of the audit log's checkpoints
    std::unique_ptr<Outage> outage {};         // of the audit log
    Deciding deciding {};
    std::unique_ptr<audit::Exporter> exports {}; // set once the log is open; reads it
    std::unique_ptr<SecretKeeper> secrets {};
    std::unique_ptr<ReplayDesk> replays {}; // of the audit log
    RecordMeter meter {};
};

// INVARIANT: no record, no credential. The sequence number, once the record is durable.
net::Task<Result<std::uint64_t>> append_record(AuthorityState& state, audit::Record record);
// The same of a record that stands on a decision. `may_spool`: all policies that determined it would rather have it served than refused
// while the log cannot be written.
net::Task<Result<Recorded>> record_or_spool(AuthorityState& state, audit::Record record, bool may_spool);
struct DecisionRecord {
    audit::Record record;
    bool may_spool = false;
};
// The same of several records, once all are durable.
net::Task<Result<std::vector<Recorded>>> record_or_spool(AuthorityState& state, std::vector<DecisionRecord> records);

// Good until the next decision on another snapshot.
cedar::Decider& decider_of(AuthorityState&, std::shared_ptr<Snapshot const> const&);

} // namespace writ::authority
