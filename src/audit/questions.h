// SPDX-License-Identifier: Apache-2.0
//
// What an auditor asks, answered from the index and the records themselves: the index says where to look, each record found is read and looked at
// before it is told. One thread. Answers have limits, and say where they were cut.
#pragma once

#include "audit/index.h"
#include "audit/record.h"
#include "audit/record_source.h"

namespace writ::audit {

struct StoredRecord {
    std::uint64_t sequence = 0;
    std::string text; // as it lies in the log
    Record record;
};

// LIMIT: of one answer.
inline constexpr std::size_t records_max = 1000;

// All given members must match.
struct RecordFilter {
    std::optional<RecordType> type;
    std::optional<bool> allowed;
    std::string workload; // SPIFFE ID or declared name
    std::string run;
    std::string resource; // `Type::id` or id; a version's resource too, and `name@version`
    std::string trace;
    std::optional<std::uint64_t> before {}; // sequence numbers below it
    std::size_t limit = 100;                // LIMIT: records_max
    std::string purpose {}, policy {}, classification {}, request {};
    std::optional<Timestamp> since {}, until {};
    std::optional<std::uint64_t> from {}; // sequence numbers from it on, oldest first
};
// Of a record of many decisions, whether one of them does.
bool matches(RecordFilter const&, Record const&);

// Records that tell of one use: by whom, of what, for what; renewed or asked for once more, it is the same use.
struct Use {
    std::string workload, workload_name, pipeline, team, run, purpose, action;
    std::vector<RecordedClaim> claims;
    std::vector<std::string> policies;
    std::uint64_t policy_version = 0;
    RecordedCredential credential; // of the latest issuance; empty: there was none
    std::uint64_t decision = 0, issuance = 0; // sequence numbers of the latest; issuance 0: none, or the first record, which is never one
    Timestamp from;                 // of that issuance, or else of the first decision
    std::optional<Timestamp> to;    // revocation, or expiry if that was earlier; absent: still in use
    std::string ended;              // why: `run ended`, `expired`…; empty: still in use
    RecordedEntity resource {};
    std::optional<RecordedEntity> model {};
    std::vector<RecordedEntity> datasets {};
    std::string endpoint {};
    std::uint64_t first = 0, last = 0; // sequence numbers of the first and the last record that tell of it
    std::uint64_t count = 0;           // decisions
};

struct UseQuery {
    std::optional<std::uint64_t> before {}; // uses whose last record is below it
    std::size_t limit = 100;                // LIMIT: records_max
    std::optional<Timestamp> since {}, until {};
};
struct UsePage {
    std::vector<Use> uses; // newest first
    std::optional<std::uint64_t> next; // `before` of the next page
    bool is_cut = false;               // the oldest uses were left out
    std::uint64_t dropped = 0;         // uses that only dropped records tell of: the index knows that there were some, and nothing proves what
};

struct ModelUses {
    UsePage used;    // by the runs that made it
    UsePage used_by;
};

// Whether anything was allowed to use a thing, over a named state of the log.
struct Absence {
    std::string name;
    std::optional<Timestamp> since;
    std::optional<StoredRecord> last_use; // it was used: no absence
    std::uint64_t denied = 0;             // refusals since then, as many as records_max
    std::uint64_t size = 0;               // of the tree
    std::string root;                     // base64
    std::string checkpoint;               // signed note over both
    std::optional<Timestamp> proven_since {}; // of the first record that is kept, if more was asked for: nothing is said of before
};

class Questions {
public:
    Questions(Index& index, RecordSource const& records, Clock const& clock)
        : index_(index)
        , records_(records)
        , clock_(clock)
    {
    }

    // Records that answers are about.
    [[nodiscard]] std::uint64_t size() const { return index_.next(); }
    // Of records before it nothing can be proven any more, but that they were there: retention has dropped them.
    [[nodiscard]] std::uint64_t first_kept() const { return records_.first_kept(); }

    Result<std::vector<StoredRecord>> find(RecordFilter const&);
    // `type` is Dataset, Model, Api, Endpoint or Database; `id` a name, or name@version.
    Result<UsePage> who_used(std::string const& type, std::string const& id, UseQuery const&);
    // By a workload (SPIFFE ID or name), or in a run.
    Result<UsePage> what_workload_used(std::string const& workload, UseQuery const&);
    Result<UsePage> what_run_used(std::string const& run, UseQuery const&);
    // Both directions.
    Result<ModelUses> what_model_used(std::string const& model, UseQuery const&);
    Result<Absence> never(std::string const& name, std::optional<Timestamp> since);

    // For whoever goes further, from use to use (lineage.h). Newest first; those that are not what the term says, by chance, are left out by `is_meant`.
    Result<StoredRecord> stored(std::uint64_t sequence) const;
    struct FoundUses {
        std::vector<std::pair<IndexedUse, StoredRecord>> uses;
        bool is_cut = false;
    };
    Result<FoundUses> find_uses(Term, std::function<bool(Record const&)> const& is_meant, std::size_t limit);

private:
    Result<UsePage> page_of(Term, std::function<bool(Record const&)> const& is_meant, UseQuery const&);
    Result<Use> use_of(IndexedUse const&, Record const&);
    Result<> end_of(Use&);
    Result<std::optional<StoredRecord>> revocation_of(std::string const& lease, std::uint64_t issuance);
    Result<std::optional<StoredRecord>> record_at(std::uint64_t sequence) const;
    Result<std::optional<StoredRecord>> record_of(IndexedUse const&, std::uint64_t sequence) const;
    [[nodiscard]] std::uint64_t told_by(IndexedUse const&) const;
    Result<std::uint64_t> count_denied(std::string const& name, std::optional<Timestamp> since);

    Index& index_;
    RecordSource const& records_;
    Clock const& clock_;
};

// Whether an entity goes by this type (empty: any) and name or name@version.
bool is_named(RecordedEntity const&, std::string_view type, std::string_view name);
// Whether a record of a use has it as resource, model, data or endpoint.
bool uses_thing(Record const&, std::string_view type, std::string_view name);

} // namespace writ::audit
