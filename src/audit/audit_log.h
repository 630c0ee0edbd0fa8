// SPDX-License-Identifier: Apache-2.0
//
// The audit log: records in a transparency log, and an SQLite index that answers questions and can always be rebuilt from it. Thread-safe.
// Callbacks come on threads of its own and must be short (post to your loop).
#pragma once

#include "audit/record.h"
#include "tlog/log.h"

#include <functional>

namespace writ::audit {

struct StoredRecord {
    std::uint64_t sequence = 0;
    std::string text; // as it lies in the log
    Record record;
};

// All given members must match.
struct RecordFilter {
    std::optional<RecordType> type;
    std::optional<bool> allowed;
    std::string workload; // SPIFFE ID or declared name
    std::string run;
    std::string resource; // `Type::id` or id
    std::string trace;
    std::optional<std::uint64_t> before; // sequence numbers below it
    std::size_t limit = 100;             // LIMIT: 1,000
};

struct Use {
    std::string workload, workload_name, pipeline, team, run, purpose, action;
    std::vector<RecordedClaim> claims;
    std::vector<std::string> policies;
    std::uint64_t policy_version = 0;
    RecordedCredential credential;
    std::uint64_t decision = 0, issuance = 0; // sequence numbers
    Timestamp from;
    std::optional<Timestamp> to; // revocation, or expiry if that was earlier; absent: still in use
    std::string ended;           // why: `run ended`, `expired`…; empty: still in use
};

struct ProvenRecord {
    StoredRecord stored;
    std::string checkpoint; // signed note of a tree that contains it
    std::vector<tlog::Hash> proof;
};

template <typename T> using Done = std::function<void(Result<T>)>;

class AuditLog {
public:
    // `index` is an SQLite file; one that is missing, of another version or ahead of the log is built anew.
    static Result<std::unique_ptr<AuditLog>> open(tlog::LogOptions, Path index, Clock const&);
    virtual ~AuditLog() = default;

    // The sequence number, once the record is durable.
    virtual void append(Record const&, Done<std::uint64_t>) = 0;

    // The same of a record as it will lie in the log.
    virtual void append_text(std::string, Done<std::uint64_t>) = 0;

    // Questions are answered on the index's thread, over everything acknowledged before they were asked.
    virtual void query(RecordFilter, Done<std::vector<StoredRecord>>) = 0;
    virtual void who_used(std::string type, std::string id, Done<std::vector<Use>>) = 0; // newest first, 1,000 at most
    // Waits for the checkpoint that covers it.
    virtual void prove(std::uint64_t sequence, Done<ProvenRecord>) = 0;

    [[nodiscard]] virtual tlog::Log const& log() const = 0;
    // Drops records before `first` (tlog::Log::drop_before). INVARIANT: a retention record that says so is durable by then.
    virtual Result<std::uint64_t> drop_before(std::uint64_t first) = 0;
};

} // namespace writ::audit
