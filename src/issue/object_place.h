// SPDX-License-Identifier: Apache-2.0
//
// Places in object stores, and what a decision lets be done there; what issuers for such stores have in common.
#pragma once

#include "issue/credential_issuer.h"

namespace writ::issue {

// A bucket (or container), and the names below `prefix` (`runs/7` is `runs/7` and all of `runs/7/…`, not `runs/70`); empty: all of it.
struct ObjectPlace {
    std::string bucket;
    std::string prefix; // neither begins nor ends with `/`
    bool operator==(ObjectPlace const&) const = default;
};

struct ObjectAccess {
    ObjectPlace place;
    bool may_write = false; // and read
};

// Of `bucket` and `prefix`. SECURITY: nothing that a condition's language could read as other than itself: quotes, backslashes, patterns, variables.
Result<ObjectPlace> parse_object_place(JsonObject const& resource);
// read, train, evaluate: objects are got and listed. write: put and deleted besides. permission_denied: any other action.
Result<ObjectAccess> parse_object_access(Access const&);

// In words: `read gs://genomes/public, write gs://runs/7`.
std::string scope_text(std::string_view scheme, std::span<ObjectAccess const>);

} // namespace writ::issue
