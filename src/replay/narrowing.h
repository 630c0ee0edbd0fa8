// SPDX-License-Identifier: Apache-2.0
//
// A permit's text made narrower. Private to replay.
#pragma once

#include "replay/usage.h"

#include "cedar/ast.h"

namespace writ::replay {

// `principal.name == "trainer"`, or `principal == Workload::"spiffe://…"`.
std::string subject_condition(Subject const&);
// Whether the policy is for workloads of that name alone, or of another name alone; nothing: it asks for no name.
std::optional<bool> names_subject(cedar::Policy const&, Subject const&);
// Whether the policy already excludes the subject by such an `unless`.
bool is_closed_to(cedar::Policy const&, Subject const&);
// The policy's own text with that `unless` at its end. `text` is its source.
std::string closed_to(cedar::Policy const&, std::string_view text, Subject const&);

// What of a permit's scope one of several permits in its place is for.
struct Narrowing {
    std::vector<std::string> actions;
    cedar::EntityUid resource;
    std::vector<std::string> purposes;
};
// As few as can say exactly these uses.
std::vector<Narrowing> narrowings_of(std::map<UseKey, Occurrences> const&);
// Without @id; the policy's other annotations and its conditions as they stand in `text`.
std::string narrowed(cedar::Policy const&, std::string_view text, Subject const&, Narrowing const&);

} // namespace writ::replay
