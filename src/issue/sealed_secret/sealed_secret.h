// SPDX-License-Identifier: Apache-2.0
//
// An API key that has to exist: kept sealed by the authority, and handed to a run that may have it. Its system ends none of them; what ends is the file in the
// run's folder, and a rotation replaces it there.
#pragma once

#include "base/random.h"
#include "issue/credential_issuer.h"

namespace writ::issue {

// `provider`: secret (its name), and token_delivery.h's. A resource: name.
std::unique_ptr<CredentialIssuer> create_sealed_secret_issuer(Clock const&, RandomSource&);

} // namespace writ::issue
