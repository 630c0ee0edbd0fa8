// SPDX-License-Identifier: Apache-2.0
//
// Least privilege for one workload, from what it used: each permit that it used becomes one for exactly those actions, resources and purposes, with the permit's own
// conditions; each other permit is closed to it. Nothing is ever wider than today, and nobody else's permissions change. Forbids stay as they are.
#pragma once

#include "replay/text_edits.h"
#include "replay/usage.h"

namespace writ::replay {

// What is proposed for one of today's permits.
struct PermitAdvice {
    enum class Kind : std::uint8_t {
        kept,     // as narrow as the use already
        narrowed, // wider than what was used
        closed,   // never used by this workload; others may be who it is for
        removed,  // never used by this workload, and for no other
    };
    Kind kind = Kind::kept;
    std::string policy; // id
    std::string path;
    int line = 1;
    std::map<UseKey, Occurrences> uses;
};
std::string_view to_string(PermitAdvice::Kind);

struct SuggestedFile {
    std::string path;
    std::string text;
    std::string difference; // empty: as it is today
};

struct Suggestion {
    Usage usage;
    std::vector<PermitAdvice> permits; // that can be about this workload, in the policies' order
    std::vector<SuggestedFile> files;  // all of today's
    [[nodiscard]] bool changes_anything() const;
};

// LIMIT: permits that are proposed; a workload that used more has no narrow policy.
inline constexpr std::size_t suggested_permits_max = 1000;

// Validated against the schema and held against the log before it is told: what was used stays allowed, what was denied stays denied.
Result<Suggestion> suggest(EntrySource const&, Declared const& today, Selection const&);

} // namespace writ::replay
