// SPDX-License-Identifier: Apache-2.0
//
// Reads what CredentialProviders of clouds declare, and says it in the words of their issuers.
#pragma once

#include "authority/declaration.h"
#include "authority/field_reader.h"
#include "base/json.h"

namespace writ::authority {

void read_gcp_sts(FieldReader&, YamlNode const&, CredentialProvider&);
void read_azure_entra(FieldReader&, YamlNode const&, CredentialProvider&);

// Whether data sets of such a provider have an object_resource_of().
bool is_object_store(std::string_view provider_type);

// For the issuer. REQUIRES: is_object_store().
JsonObject settings_of(CredentialProvider const&);

// A dataset's place, for that type of provider: `gs://bucket/prefix`, `https://account/container/prefix` or `abfss://container@account/prefix`; a `/` at the end is
// nothing. invalid_argument: it lies elsewhere, or cannot be held to.
Result<JsonObject> object_resource_of(std::string_view provider_type, std::string_view location);

} // namespace writ::authority
