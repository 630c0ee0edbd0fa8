// SPDX-License-Identifier: Apache-2.0
//
// One audit record: what was asked, by whom, decided how, given what. Never a secret's value. Its JSON form is in
// docs/formats/audit-record.md.
#pragma once

#include "base/clock.h"
#include "base/json.h"

#include <optional>
#include <string>
#include <vector>

namespace writ::audit {

enum class RecordType : std::uint8_t {
    decision,   // a policy question and its answer, denials included
    issuance,   // a credential that left, or would have if its record had not failed
    revocation, // a credential ended before or at its time
    run_start,
    run_end,
    administration, // declarations applied, tokens made, leases revoked by hand
    startup,        // the authority opened its log
    retention,      // old records were dropped
};
std::string_view to_string(RecordType);
Result<RecordType> parse_record_type(std::string_view);

struct RecordedClaim {
    std::string name; // `unix.uid`
    std::vector<std::string> values;
    std::string provider; // the TrustProvider that proved it
};

struct RecordedEntity {
    std::string type;    // `Dataset`
    std::string id;      // `oncology/biopsies`
    std::string version; // immutable version it was resolved to, if it has one
    std::string digest;
    std::string alias {}; // that was asked for in its place: `latest`
    bool operator==(RecordedEntity const&) const = default;
};

// Of `ModelVersion::"fraud@7"` the version is named.
RecordedEntity recorded_entity(std::string type, std::string id);

// A version of the declarations that was put in force.
struct RecordedDeclarations {
    std::uint64_t version = 0;
    std::string digest; // SHA-256 of its documents as the store has them, hexadecimal
    std::string schema {}; // SHA-256 of the Cedar schema that its policies were held to; absent in records of older programs
    bool operator==(RecordedDeclarations const&) const = default;
};

struct RecordedCredential {
    std::string kind;  // `postgres_role`, `x509_svid`, `jwt_svid`
    std::string id;    // role name, certificate serial, jti: never its value
    std::string scope; // in words of its system: `SELECT on public.biopsies`
    std::string lease; // empty: none
    std::optional<Timestamp> expires;
};

// Empty members are left out of the JSON.
struct Record {
    RecordType type = RecordType::decision;
    Timestamp time;
    std::string trace;         // joins the records of one request
    std::string request;       // the caller's own id of it, if it sent one
    std::string caller;        // who asked the authority: an agent's SPIFFE ID, `uid:0`, a workload
    std::string workload;      // SPIFFE ID
    std::string workload_type; // as policies see it, if it is no `Workload`: the subject of an AuthZEN request may be anything
    std::string workload_name; // its declaration
    std::string pipeline, team;
    std::string run;
    std::optional<std::uint64_t> rank; // of a run that is many processes
    std::string purpose;
    std::vector<RecordedClaim> claims;
    std::uint64_t claims_cut = 0; // how many more there were, left out since the record would have been too long
    std::string posture; // SHA-256 of the context's posture object, hexadecimal
    std::string action;  // `read`
    std::optional<RecordedEntity> resource;
    std::vector<std::string> classification; // of the resource, as declared then
    std::optional<RecordedEntity> model;     // in play
    std::string endpoint;                    // that a model is loaded for
    std::vector<RecordedEntity> datasets;    // versions in play besides the resource
    // What was decided on beside the members here: canonical JSON of an object, members sorted, in Cedar's form. `purpose`, `run` and `time` are
    // the record's own and not in it.
    std::string context;
    std::string context_cut;           // SHA-256 of a context that was too long to be kept
    std::vector<std::string> asserted; // members that only whoever asked says: `workload`, `resource`, `model`, `datasets`, `endpoint`
    std::vector<std::string> redacted; // `context.NAME`, `claim.NAME`: their values are digests here
    std::optional<bool> allowed;             // of a decision
    std::string items;                       // of a record of many decisions: what differs between them, JSON (record_items.h)
    std::vector<std::string> policies;       // that determined it
    std::vector<std::string> policy_errors;  // `id: message` of policies that erred and were skipped
    std::uint64_t policy_version = 0;        // version of the declarations; 0: not about policy
    std::optional<RecordedCredential> credential;
    std::optional<std::uint64_t> decision; // sequence number of the decision an issuance stands on
    std::optional<Duration> latency;
    std::string outcome; // `ok`, or an error's code
    std::string reason;  // in a few words: why it ended, what was administered
    std::optional<RecordedDeclarations> declarations; // of an administration and a startup
    std::optional<std::uint64_t> dropped_before;      // of a retention: records with smaller numbers are gone, their hashes are not
    std::string salt_digest;                          // of a startup: SHA-256 of the salt that redacted values are hashed with
};

inline constexpr std::int64_t record_version = 1;
// LIMIT: a context as text; what callers send is some hundred bytes. A longer one is recorded as its digest, and its decision cannot be replayed.
inline constexpr std::size_t context_bytes_max = 16'384;

// One line. LIMIT: limits::record_bytes_max; claims that would not fit are cut and say so.
std::string to_json_text(Record const&);
// What its text would take whole, nothing being cut.
std::size_t whole_bytes(Record const&);
// corruption: not a record, or one of a later version. Unknown members are ignored.
Result<Record> parse_record(std::string_view);

} // namespace writ::audit
