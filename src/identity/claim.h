// SPDX-License-Identifier: Apache-2.0
//
// Claims: facts that an attestor found, under dotted names (`unix.uid`, `unix.sha256`). Each names what proved it.
#pragma once

#include "base/json.h"

#include <map>
#include <string>
#include <vector>

namespace writ::identity {

// LIMIT: claims of one process; a user may be in many groups.
inline constexpr std::size_t claims_max = 64;
inline constexpr std::size_t claim_values_max = 1024;
inline constexpr std::size_t claim_value_bytes_max = 4096;

struct Claims {
    std::string provider; // the trust provider's type: `unix`
    std::map<std::string, std::vector<std::string>, std::less<>> values;

    [[nodiscard]] std::vector<std::string> const* find(std::string_view name) const;
    bool operator==(Claims const&) const = default;
};

// {"provider": "unix", "values": {"unix.uid": ["1000"], …}}
JsonObject to_json(Claims const&);
Result<Claims> parse_claims(JsonObject const&);

} // namespace writ::identity
