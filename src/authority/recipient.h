// SPDX-License-Identifier: Apache-2.0
//
// Whom a credential is for, with what its issuer may have of the authority on the way: tokens by its keys, and sealed secrets.
#pragma once

#include "authority/state.h"

namespace writ::authority {

struct RecipientRun {
    identity::SpiffeId workload;
    std::string run, purpose;
    Timestamp expires;
};

// The state outlives it.
issue::Recipient recipient_of(AuthorityState&, RecipientRun);

} // namespace writ::authority
