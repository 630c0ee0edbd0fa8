// SPDX-License-Identifier: Apache-2.0
//
// Why a request is allowed or denied, policy by policy and condition by condition, for those who have the policies before them. Pure.
// SECURITY: it shows the policies' text. What goes to a caller over the network is explain_denial()'s facts, never this.
#pragma once

#include "cedar/ast.h"
#include "cedar/authorizer.h"

namespace writ::cedar {

enum class Outcome : std::uint8_t {
    holds,
    fails,
    errs,
    not_reached, // would err, but what stands before it failed, so that nobody asked
};
std::string_view to_string(Outcome);

// A part of the scope, or one of the conditions that `&&` joins (of an `unless`, that `||` joins).
struct ExplainedPart {
    std::string text; // `principal in Team::"fraud"`, `when resource.signed`, `unless resource.embargoed`
    int line = 0;     // 0: made without a text
    Outcome outcome = Outcome::holds; // of an `unless`: holds if what it asks is false
    std::vector<MissingFact> facts;   // what was found; `wanted` of a part that holds is what holds of it
    std::string error;
};

struct ExplainedPolicy {
    std::string policy; // id
    std::string path;
    int line = 0;
    Effect effect = Effect::permit;
    std::vector<ExplainedPart> parts;
};

struct Explanation {
    Decision decision;
    std::vector<ExplainedPolicy> determining;
    std::vector<ExplainedPolicy> erring;
    std::vector<ExplainedPolicy> nearest; // permits, if nothing was permitted
};

// LIMIT: facts shown of one part.
inline constexpr std::size_t facts_per_part_max = 8;

Explanation explain(Request const&, PolicySet const&, EntityStore const&, std::size_t nearest_max);
ExplainedPolicy explain(Policy const&, Request const&, EntityStore const&);

} // namespace writ::cedar
