// SPDX-License-Identifier: Apache-2.0
//
// JWT-SVIDs that come back to the authority: as Bearer token, or to be exchanged.
#pragma once

#include "authority/state.h"
#include "crypto/jwt.h"

namespace writ::authority {

// Signed by this trust domain, meant for this authority (`aud` has its issuer URL), not expired, of a SPIFFE ID of this trust domain.
// unauthenticated otherwise.
Result<crypto::Jwt> verify_own_token(AuthorityState const&, std::string_view token);

} // namespace writ::authority
