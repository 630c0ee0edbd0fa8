// SPDX-License-Identifier: Apache-2.0
//
// Golden tables beside policies: `NAME.decisions.json` says which requests are allowed, by which policies. Whether they hold, and whether they would
// notice a change to a policy.
#pragma once

#include "cedar/authorizer.h"
#include "cedar/entity.h"

#include <filesystem>
#include <string>
#include <vector>

namespace writ::cli {

struct GoldenDecision {
    std::string name;
    cedar::Request request;
    bool allowed = false;
    std::vector<std::string> policies; // ids, sorted; empty: not looked at
    std::vector<std::string> errors;   // ids of the policies that err, sorted
};

struct GoldenTable {
    cedar::EntityStore entities;
    std::vector<GoldenDecision> decisions;
};

// {"entities": […], "decisions": [{"name", "principal", "action", "resource", "context", "decision", "policies", "errors"}]}. Entities and
// requests follow Writ's schema; what a context leaves out is empty, its time the first of January 2026. Errors name the row.
Result<GoldenTable> parse_golden_table(std::string_view json);
Result<GoldenTable> read_golden_table(std::filesystem::path const& file);
Result<cedar::Request> parse_request(JsonObject const&);

// The golden tables below a folder, sorted. not_found: none.
Result<std::vector<std::filesystem::path>> tables_below(std::string const& folder);

struct GoldenFailure {
    GoldenDecision const* row = nullptr; // of the table
    cedar::Decision decision;
    std::vector<cedar::MissingFact> missing;
};
std::vector<GoldenFailure> failures_of(GoldenTable const&, cedar::PolicySet const&);

struct UnnoticedMutation {
    std::string policy, path, what;
    int line = 0;
};
struct Mutations {
    std::size_t tried = 0;
    std::vector<UnnoticedMutation> unnoticed;
};
// Changes one policy at a time (cedar/mutation.h), and leaves each out. A row notices if its decision, its determining policies or the policies
// that err are others than with the policies as they are.
Mutations try_mutations(std::vector<GoldenTable> const&, cedar::PolicySet const&);

} // namespace writ::cli
