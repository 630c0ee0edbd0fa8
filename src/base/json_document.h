// SPDX-License-Identifier: Apache-2.0
//
// JSON from outside that is looked at where it was parsed, by the rules of json.h: its parts are neither counted nor freed one by one, which for the thousand
// questions of a request costs as much as parsing them.
#pragma once

#include "base/json.h"

#include <memory>

namespace writ {

class JsonDocument {
public:
    // Errors as of parse_json_object().
    static Result<JsonDocument> parse_object(std::string_view text, JsonLimits = {});
    ~JsonDocument();
    JsonDocument(JsonDocument&&) noexcept;
    JsonDocument& operator=(JsonDocument&&) noexcept;

    // Lives as long as the document; a copy of it or of a part lives for itself.
    [[nodiscard]] JsonObject const& object() const;

private:
    struct Memory;
    explicit JsonDocument(std::unique_ptr<Memory>);
    std::unique_ptr<Memory> memory_;
};

} // namespace writ
