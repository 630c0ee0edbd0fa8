// SPDX-License-Identifier: Apache-2.0
//
// A draft of policies decides again what the log has on record, and what would be decided otherwise is counted.
#pragma once

#include "replay/entry_source.h"
#include "replay/kinds.h"

namespace writ::replay {

enum class ChangeKind : std::uint8_t {
    denied,   // was allowed
    allowed,  // was denied
    policies, // the same decision, by other policies
};
std::string_view to_string(ChangeKind);

// What changes alike: by policies, action, resource and workload.
struct ChangeKey {
    ChangeKind kind = ChangeKind::denied;
    std::vector<std::string> before, after; // ids of the determining policies
    std::string action;
    cedar::EntityUid resource;
    std::string workload; // declared name, or SPIFFE ID of one that has none
    auto operator<=>(ChangeKey const&) const = default;
};

// LIMIT: groups of a report; what else changes is only counted. Far more than anybody reads.
inline constexpr std::size_t groups_max = 10'000;

struct Change {
    Occurrences occurrences;
    std::vector<cedar::MissingFact> missing; // of the first one, if it is denied
};

struct Report {
    std::uint64_t log_size = 0;
    std::uint64_t dropped_before = 0; // those of the log that retention has dropped: nothing is said of them
    std::uint64_t records = 0;   // looked at, of all types
    std::uint64_t decisions = 0; // made again
    std::uint64_t kinds = 0;     // of requests, by which they were made
    std::uint64_t changed = 0;        // of those, would be another answer
    std::uint64_t other_policies = 0; // would be the same answer by other policies
    std::uint64_t beyond_groups = 0;  // of these two, in none of the groups
    std::map<ChangeKey, Change> changes;
    std::map<std::string, std::uint64_t> unjudged; // why, and how many

    [[nodiscard]] std::uint64_t count(ChangeKind) const; // in groups
};

// Other answers first, and of them those to most requests.
std::vector<std::pair<ChangeKey, Change>> ordered_changes(Report const&);

Result<Report> replay(EntrySource const&, cedar::Engine const& draft, Selection const&, std::size_t workers = 1);

} // namespace writ::replay
