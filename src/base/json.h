// SPDX-License-Identifier: Apache-2.0
//
// JSON from outside, strictly: UTF-8 only, no duplicate names (a second `sub` must not silently win), bounded depth and size,
// nothing after the value. Values are boost::json's; only base parses.
#pragma once

#include "base/limits.h"
#include "base/result.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace writ {

using JsonValue = boost::json::value;
using JsonObject = boost::json::object;
using JsonArray = boost::json::array;

struct JsonLimits {
    std::size_t size_max = limits::request_body_bytes_max;
    std::size_t depth_max = limits::json_depth_max;
};

// Errors are invalid_argument and name the byte offset.
Result<JsonValue> parse_json(std::string_view text, JsonLimits = {});
Result<JsonObject> parse_json_object(std::string_view text, JsonLimits = {});

// One line, no white space, names in the object's own order.
std::string to_text(JsonValue const&);
std::string to_text(JsonObject const&);
// The same for one string, at the end of `out`; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Members of an object by name. Absent or of another type: invalid_argument naming the member. The views live as long as the object.
Result<std::string_view> string_member(JsonObject const&, std::string_view name);
Result<std::int64_t> integer_member(JsonObject const&, std::string_view name);
Result<bool> bool_member(JsonObject const&, std::string_view name);
Result<JsonObject const*> object_member(JsonObject const&, std::string_view name);
Result<JsonArray const*> array_member(JsonObject const&, std::string_view name);
// An array whose elements are all strings.
Result<std::vector<std::string>> strings_member(JsonObject const&, std::string_view name);

// The text of a member, or `otherwise` if it is absent; of another type: `otherwise` too. For our own documents only.
std::string_view string_or(JsonObject const&, std::string_view name, std::string_view otherwise);

} // namespace writ
