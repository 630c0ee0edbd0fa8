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
    bool operator==(RecordedEntity const&) const = default;
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
    std::string caller;        // who asked the authority: an agent's SPIFFE ID, `uid:0`, a workload
    std::string workload;      // SPIFFE ID
    std::string workload_name; // its declaration
    std::string pipeline, team;
    std::string run;
    std::string purpose;
    std::vector<RecordedClaim> claims;
    std::string posture; // SHA-256 of the posture object, hexadecimal
    std::string action;  // `read`
    std::optional<RecordedEntity> resource;
    std::optional<RecordedEntity> model;    // in play
    std::optional<bool> allowed;            // of a decision
    std::vector<std::string> policies;      // that determined it
    std::vector<std::string> policy_errors; // `id: message` of policies that erred and were skipped
    std::uint64_t policy_version = 0;       // version of the declarations; 0: not about policy
    std::optional<RecordedCredential> credential;
    std::optional<std::uint64_t> decision; // sequence number of the decision an issuance stands on
    std::optional<Duration> latency;
    std::string outcome; // `ok`, or an error's code
    std::string reason;  // in a few words: why it ended, what was administered
};

// One line. LIMIT: limits::record_bytes_max; claims that would not fit are cut and say so.
std::string to_json_text(Record const&);
// corruption: not a record. Unknown members are ignored.
Result<Record> parse_record(std::string_view);

} // namespace writ::audit
