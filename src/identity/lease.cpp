// SPDX-License-Identifier: Apache-2.0
#include "identity/lease.h"

namespace writ::identity {

std::string_view to_string(LeaseState state)
{
    switch (state) {
    case LeaseState::pending: return "pending";
    case LeaseState::active: return "active";
    case LeaseState::revoking: return "revoking";
    case LeaseState::ended: return "ended";
    }
    return "ended";
}

} // namespace writ::identity
