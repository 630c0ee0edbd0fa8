// SPDX-License-Identifier: Apache-2.0
//
// What issues a resource's credentials, in the words of its issuer: from what is declared.
#pragma once

#include "authority/snapshot.h"
#include "base/json.h"
#include "cedar/value.h"

#include <optional>

namespace writ::authority {

struct CredentialSource {
    CredentialProvider const* provider = nullptr; // of the snapshot
    JsonObject settings; // for the issuer
    JsonObject resource;
};

// Nothing if the resource has no credential.
std::optional<CredentialSource> source_of(Snapshot const&, cedar::EntityUid const&);

// What a user is told whose credential could not be made: for what it was, why, and where to look. Of the provider nothing but its name is told.
Error not_issued(Error, std::vector<cedar::EntityUid> const& resources);

// `s3://bucket/prefix` as aws_sts has it; a `/` at the end is nothing.
Result<JsonObject> s3_resource_of(std::string_view location);

} // namespace writ::authority
