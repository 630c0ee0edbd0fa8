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
    bool attested = false;                // only records in which nothing is asserted
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
    std::string caller {};                // who asked
    std::vector<std::string> asserted {}; // what nobody but the caller says, as the record has it
    bool is_attested = true;              // that it is an answer to the question does not stand on that
};

struct UseQuery {
    std::optional<std::uint64_t> before {}; // uses whose last record is below it
    std::size_t limit = 100;                // LIMIT: records_max
    std::optional<Timestamp> since {}, until {};
    bool attested = false; // only attested uses
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
    bool attested_alone = false;          // asserted uses do not count against it
    std::optional<StoredRecord> last_use; // it was used, and that is attested: no absence
    // As long as no attested use is found: those that nobody but their callers say, as many as records_max, and the latest of them.
    std::uint64_t asserted = 0;
    std::optional<StoredRecord> last_asserted {};
    std::uint64_t denied = 0;             // refusals since then, as many as records_max
    std::uint64_t size = 0;               // of the tree
    std::string root;                     // base64
    std::string checkpoint;               // signed note over both
    std::optional<Timestamp> proven_since {}; // of the first record that is kept, if more was asked for: nothing is said of before

    [[nodiscard]] bool is_never() const { return !last_use && (attested_alone || !last_asserted); }
};

// What an answer has to be about, and what of it must not be asserted for it to be a fact.
struct UseTest {
    std::function<bool(Record const&)> is_meant, is_attested;
    bool attested_alone = false; // leaves out the others
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
    Result<Absence> never(std::string const& name, std::optional<Timestamp> since, bool attested_alone = false);

    // For whoever goes further, from use to use (lineage.h). Newest first; those that are not what the term says, by chance, are left out by the test.
    Result<StoredRecord> stored(std::uint64_t sequence) const;
    struct FoundUses {
        std::vector<std::pair<IndexedUse, StoredRecord>> uses;
        bool is_cut = false;
    };
    Result<FoundUses> find_uses(Term, UseTest const&, std::size_t limit);

private:
    Result<UsePage> page_of(Term, UseTest const&, UseQuery const&);
    Result<Use> use_of(IndexedUse const&, Record const&);
    Result<> find_last_uses(Absence&) const;
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
// Whether it stands on more than the word of whoever asked that its workload used its resource, or a thing by this name.
bool is_attested(Record const&);
bool is_attested_use(Record const&, std::string_view type, std::string_view name);

} // namespace writ::audit
