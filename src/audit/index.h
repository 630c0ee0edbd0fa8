// SPDX-License-Identifier: Apache-2.0
//
// The index over the log: an SQLite file that can be thrown away. Knows where records are, not what they say: what it finds is read from the
// log, and looked at. Sealed segments lie in the file; the rest of the log, less than one segment, is kept in memory and read anew after a
// restart. One thread.
#pragma once

#include "audit/index_segment.h"
#include "base/durable_file.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace writ::audit {

// All given must hold.
struct IndexQuery {
    std::vector<Term> terms;
    std::optional<std::uint64_t> before; // sequence numbers below it
    std::uint64_t from = 0;              // and not below this one
    std::optional<Timestamp> since, until;
    bool oldest_first = false;
};

// One use, over the whole log: UseGroup in sequence numbers.
struct IndexedUse {
    std::uint64_t hash = 0; // use_hash()
    std::uint64_t first = 0, last = 0;
    std::optional<std::uint64_t> issuance; // the last one
    std::uint64_t decisions = 0, issuances = 0;
    Asserted asserted = 0;
};
struct IndexedUses {
    std::vector<IndexedUse> uses; // by `last`, newest first
    bool is_cut = false;          // there were more; older ones are left out
};

class Index {
public:
    // One that is not there, of another version or damaged is begun anew. `:memory:` is in memory.
    static Result<std::unique_ptr<Index>> open(Path file);
    // Changes nothing: what is not in the file stays in memory. not_found, corruption: there is none that can be used.
    static Result<std::unique_ptr<Index>> open_read_only(Path const& file);
    ~Index();
    Index(Index const&) = delete;
    Index& operator=(Index const&) = delete;

    // Sequence number of the first record that is not in it.
    [[nodiscard]] std::uint64_t next() const;
    // Adds the record at next(). nullptr: an entry that is no record. Writes when a segment is full; an error leaves it in memory, and later
    // segments behind it, until the disk takes them. resource_exhausted: too many wait.
    Result<> add(ScannedRecord const*);
    // For as many as a rebuild adds: no sync before finish_bulk(); a crash before that leaves a file to be thrown away.
    Result<> begin_bulk();
    Result<> finish_bulk();
    // Retention has dropped the records before it: segments that have no others are left out of all answers, and their pages make room.
    Result<> forget_before(std::uint64_t first_kept);
    // Forgets everything: it was ahead of the log, or damaged.
    Result<> clear();
    // Whether the file is not what was written. Only clear() helps.
    [[nodiscard]] bool is_damaged() const;

    // Calls back with each record that has all the terms, newest first, until it says false. By time it leaves out what it knows to be outside, no more.
    Result<> find(IndexQuery const&, std::function<Result<bool>(std::uint64_t)> const& visit);
    // What has this term of kind `use`.
    Result<IndexedUses> uses(Term);

private:
    struct State;
    explicit Index(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

} // namespace writ::audit
