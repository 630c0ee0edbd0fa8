// SPDX-License-Identifier: Apache-2.0
//
// Questions and answers as JSON: what the authority sends and what commands print that read the files themselves. api/openapi.yaml has their form.
#pragma once

#include "audit/lineage.h"
#include "base/json.h"

#include <functional>

namespace writ::audit {

// A parameter of a question by its name; nothing if it was not given.
using Parameter = std::function<std::optional<std::string>(std::string_view)>;

// `2h`, `7d`: so long before now; or RFC 3339.
Result<Timestamp> parse_moment(std::string_view, Timestamp now);

// invalid_argument names the parameter.
Result<RecordFilter> parse_filter(Parameter const&, Timestamp now);
Result<UseQuery> parse_use_query(Parameter const&, Timestamp now);
// `dataset` and `Dataset` are Dataset: one of the types that can be used.
Result<std::string> parse_used_type(std::string_view);

Result<JsonObject> to_json(StoredRecord const&);
// `next` is `before` of the next page, if there may be one; after a question `from` a record on it is `from` of the next, of `size` records now.
Result<JsonObject> to_json(std::vector<StoredRecord> const&, RecordFilter const&, std::uint64_t size);
JsonObject to_json(UsePage const&);
JsonObject to_json(ModelUses const&);
JsonObject to_json(ModelTrace const&);
Result<JsonObject> to_json(Absence const&);

// The questions by their names in paths and commands: `records`, `who-used`, `what-used`, `trace`, `never`.
Result<JsonObject> answer(Questions&, std::string_view question, Parameter const&, Timestamp now);

} // namespace writ::audit
