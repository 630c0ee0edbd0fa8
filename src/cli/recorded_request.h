// SPDX-License-Identifier: Apache-2.0
//
// An audit record read as a question, so that it can be decided again by other policies.
#pragma once

#include "base/durable_file.h"
#include "cedar/authorizer.h"
#include "cedar/policy_set.h"

#include <functional>

namespace writ::cli {

struct RecordedRequest {
    cedar::Request request;
    cedar::Entity workload; // as it was attested then: attributes, groups, and its claims as tags
};

// Errors say what the record lacks: it is no decision, its claims or its context were cut, values are digests.
Result<RecordedRequest> recorded_request(JsonObject const& record);

// Whether a policy, for this request, looks at more of the resource than its name. If the resource's entity is not known, its decision cannot be
// told then. The principal must be in `entities`.
bool needs_resource(cedar::Policy const&, cedar::Request const&, cedar::EntityStore const& entities);

// `sequence` is the record's number in its log, or its line.
using RecordVisitor = std::function<Result<>(std::uint64_t sequence, JsonObject const& record)>;
// Lines of JSON, each a record, or an element of what `writ audit list --json` prints; or all that it prints.
Result<> read_records(std::string_view text, RecordVisitor const&);
Result<> read_record_file(Path const&, RecordVisitor const&);
// The log in an authority's data folder, as tlog::FolderReader reads it.
Result<> read_record_folder(Path const& data, RecordVisitor const&);

} // namespace writ::cli
