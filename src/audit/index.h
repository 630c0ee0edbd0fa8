// SPDX-License-Identifier: Apache-2.0
//
// The index over the log: an SQLite file that can be thrown away. Knows where records are, not what they say: answers are read from the
// log. One thread.
#pragma once

#include "audit/audit_log.h"
#include "base/durable_file.h"

#include <memory>
#include <string>
#include <vector>

namespace writ::audit {

class Index {
public:
    // One that is not there, of another version or damaged is begun anew.
    static Result<std::unique_ptr<Index>> open(Path file);
    ~Index();
    Index(Index const&) = delete;
    Index& operator=(Index const&) = delete;

    // Sequence number of the first record that is not in it.
    Result<std::uint64_t> next();
    // Adds records that follow one another from next() on, in one transaction. Entries that are no records have their place too; nothing
    // finds them.
    Result<> add(std::uint64_t first, std::vector<std::optional<Record>> const&);
    // Forgets everything: it was ahead of the log, or damaged.
    Result<> clear();
    // Whether SQLite has said that the file is not what it wrote. Only clear() helps.
    [[nodiscard]] bool is_damaged() const;

    // Newest first.
    Result<std::vector<std::uint64_t>> find(RecordFilter const&);
    // Issuances of credentials for a resource, newest first.
    Result<std::vector<std::uint64_t>> issuances_for(std::string const& type, std::string const& id, std::size_t limit);
    // The record that ended a lease, or of a credential without one; none if it was not ended.
    Result<std::optional<std::uint64_t>> revocation_of(std::string const& lease);

private:
    struct State;
    explicit Index(std::unique_ptr<State>);
    std::unique_ptr<State> state_;
};

} // namespace writ::audit
