// SPDX-License-Identifier: Apache-2.0
//
// Tokens that their system takes back from whoever shows them (RFC 7009): what is to be shown lies sealed in a lease, one for each thing that the token is for,
// until the token's end. So they end with their run, by hand, and when a permission is withdrawn, as other leases do.
#pragma once

#include "authority/decision.h"

namespace writ::authority {

struct HeldToken {
    std::string provider, kind, credential, scope;
    Timestamp expires;
};

// A lease for what was asked. In the store before the token leaves.
Result<identity::Lease> hold_token(AuthorityState&, HeldToken const&, SecretText const& withdrawal, Question const&, Answer const&);

// What became of it meanwhile stays so.
Result<> note_issuance(store::Store&, std::string const& lease, std::uint64_t issuance);

// Nothing to do once it has ended by itself.
net::Task<Result<>> withdraw_token(AuthorityState&, identity::Lease);

} // namespace writ::authority
