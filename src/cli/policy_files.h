// SPDX-License-Identifier: Apache-2.0
//
// Policies in files, and golden tables beside them: `NAME.decisions.json` says which requests are allowed, by which policies.
#pragma once

#include "cedar/authorizer.h"
#include "cedar/entity.h"

#include <filesystem>
#include <string>
#include <vector>

namespace writ::cli {

// The .cedar files among the paths and in folders below them, in order of their paths. not_found: none.
Result<std::vector<cedar::PolicySource>> read_policy_sources(std::vector<std::string> const& paths);

struct GoldenDecision {
    std::string name;
    cedar::Request request;
    bool allowed = false;
    std::vector<std::string> policies; // ids, sorted; empty: not looked at
};

struct GoldenTable {
    cedar::EntityStore entities;
    std::vector<GoldenDecision> decisions;
};

// {"entities": […], "decisions": [{"name", "principal", "action", "resource", "context", "decision", "policies"}]}. Entities and requests
// follow Writ's schema; what a context leaves out is empty, its time the first of January 2026. Errors name the row.
Result<GoldenTable> parse_golden_table(std::string_view json);
Result<cedar::Request> parse_request(JsonObject const&);

} // namespace writ::cli
