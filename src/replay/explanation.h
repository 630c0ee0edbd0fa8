// SPDX-License-Identifier: Apache-2.0
//
// A recorded decision made again with the policies and facts of its moment: which policies and conditions decided, and whether the record
// and the declarations still say the same.
#pragma once

#include "cedar/explanation.h"
#include "replay/declared.h"
#include "replay/recorded_request.h"

namespace writ::replay {

// A policy that determined the decision, as it was then.
struct DecidingPolicy {
    std::string id, path;
    int line = 0;
    std::string text;                        // with its conditions, all of which held
    std::vector<cedar::ExplainedPart> parts; // scope and conditions, each with the values it was found to hold of
};

// One decision, made again.
struct DecisionAgain {
    std::string action;
    cedar::EntityUid resource;
    bool was_allowed = false;
    std::vector<std::string> were_determining; // as recorded
    bool is_replayed = false;                  // false: `withheld` says what was missing for it
    bool allowed = false;
    std::vector<std::string> determining;
    std::vector<DecidingPolicy> policies; // the first of these, with their texts
    std::vector<cedar::PolicyError> errors;
    std::vector<cedar::MissingFact> missing;   // of a denial
    std::vector<Withheld> withheld;            // that policies ask for
};

struct Explanation {
    std::uint64_t version = 0;
    std::string digest;
    std::optional<std::uint64_t> version_record; // the administration record that names the digest
    std::vector<DecisionAgain> decisions;        // one, or one for each of the record's items
    std::vector<std::string> contradictions;     // what does not agree; any at all means that log or declarations were altered
    [[nodiscard]] bool is_replayed() const;      // all of them
};

// The administration record that put a version in force, if there is one.
struct VersionRecord {
    std::uint64_t sequence = 0;
    std::string digest; // of its documents
};

// Nothing: not the record that put this version in force.
std::optional<VersionRecord> version_record_of(std::uint64_t sequence, audit::Record const&, std::uint64_t version);

Result<Explanation> explain(std::string_view record, Declared const&, std::optional<VersionRecord> const&);

JsonObject to_json(Explanation const&);

} // namespace writ::replay
