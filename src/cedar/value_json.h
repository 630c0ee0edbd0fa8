// SPDX-License-Identifier: Apache-2.0
//
// The parts of Cedar's JSON form that parsing with and without a schema share.
#pragma once

#include "cedar/entity.h"

namespace writ::cedar {

// The value of `decimal`, `datetime`, `duration` or `ip` of one text.
Result<Value> extension_value(std::string_view function, std::string_view argument);

// {fn, arg}; and {fn: "offset", args: […]}, for a datetime that no text reaches.
Result<Value> parse_extension_json(JsonValue const&);

// {type, id}, or {__entity: {type, id}}.
Result<EntityUid> parse_uid_json(JsonValue const&);
Result<Record> parse_record(JsonObject const&);

JsonValue to_json(EntityUid const&);
JsonValue to_json(Record const&);
// {uid, attrs, parents}, and tags if there are any.
JsonValue to_json(Entity const&);

} // namespace writ::cedar
