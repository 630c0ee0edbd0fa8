// SPDX-License-Identifier: Apache-2.0
//
// CredentialProviders of tokens and keys (`oidc_token`, `oauth2_client`, `token_exchange`, `sealed_secret`), and of services that are known by name, which are
// one of these with everything filled in: `anthropic`, `databricks`, `huggingface`, `mlflow`, `openai`, `wandb`.
#pragma once

#include "authority/field_reader.h"
#include "base/json.h"

namespace writ::authority {

struct TokenProvider {
    std::string issuer; // `oidc_token`
    JsonObject settings; // as that issuer takes them
};

// Whether a declared type is one of them.
bool is_token_type(std::string_view type);

TokenProvider read_token_provider(std::string const& type, std::string const& name, FieldReader&, YamlNode const&);

} // namespace writ::authority
