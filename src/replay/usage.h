// SPDX-License-Identifier: Apache-2.0
//
// What a workload used, as the log has it, and by which of today's permits it may.
#pragma once

#include "replay/declared.h"
#include "replay/entry_source.h"
#include "replay/kinds.h"

#include <set>

namespace writ::replay {

// A workload by its declared name, which may stand for many SPIFFE IDs, or by one of these.
struct Subject {
    std::string name; // as it was asked for
    bool is_id = false;
    std::set<std::string> pipelines; // that it was seen in
    std::vector<cedar::Entity> principals; // as it was seen; without tags
};

// One thing it did.
struct UseKey {
    std::string action;
    cedar::EntityUid resource;
    std::string purpose;
    auto operator<=>(UseKey const&) const = default;
};

struct Usage {
    Subject subject;
    // By one of today's permits (index of the policy): the first that determined it, unless another one already stands for the same.
    std::map<std::uint32_t, std::map<UseKey, Occurrences>> by_permit;
    // Allowed then and denied today.
    std::map<UseKey, Occurrences> lost;
    Kinds::Tally tally;
    std::uint64_t dropped_before = 0; // what it did in records that retention has dropped is not here
};

// not_found: there is no decision about it.
Result<Usage> usage_of(EntrySource const&, cedar::Engine const& today, Declared const&, Selection const&);

} // namespace writ::replay
