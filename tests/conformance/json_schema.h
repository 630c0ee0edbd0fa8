// SPDX-License-Identifier: Apache-2.0
//
// JSON Schema, draft 2020-12, as far as the corpora's schemas use it. A keyword that is not known here is a problem of the schema, never
// passed over: check() names it.
#pragma once

#include "base/json.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace writ::conformance {

// All schemas that may refer to each other, by their `$id`. Not thread-safe.
class SchemaSet {
public:
    // SPEC: JSON Schema validation §7.2.1: `format` is an annotation unless asserted.
    explicit SchemaSet(bool asserts_format)
        : asserts_format_(asserts_format)
    {
    }
    // invalid_argument: no `$id`, or one that is there already.
    Result<std::string> add(JsonObject schema);
    [[nodiscard]] JsonValue const* find(std::string const& id) const;

    // Unknown keywords and references that lead nowhere, of one schema and all it holds.
    [[nodiscard]] std::vector<std::string> check(std::string const& id) const;
    // Why the instance is not valid; empty if it is. `reference` is an id, with a JSON pointer behind `#` or not.
    [[nodiscard]] std::vector<std::string> validate(std::string const& reference, JsonValue const& instance) const;

private:
    struct Place {
        std::string base; // the id of the document that it is in
        JsonValue const* schema;
    };
    friend class SchemaValidator;
    friend class SchemaChecker;
    [[nodiscard]] Place resolve(std::string const& base, std::string_view reference) const;

    std::map<std::string, JsonValue> schemas_;
    bool asserts_format_;
};

bool is_of_format(std::string_view format, std::string const& text);

} // namespace writ::conformance
