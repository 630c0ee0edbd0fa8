// SPDX-License-Identifier: Apache-2.0
//
// A lease: a credential given to a run, for a while, and what takes it back.
#pragma once

#include "base/clock.h"

#include <cstdint>
#include <optional>
#include <string>

namespace writ::identity {

enum class LeaseState : std::uint8_t {
    pending,  // intended: the credential may exist in its system, and nobody was given it
    active,   // given out
    revoking, // to be taken back; tried again until it succeeds
    ended,
};
std::string_view to_string(LeaseState);

struct Lease {
    std::string id; // `lease-` and 20 base32 characters
    std::string run;
    std::string workload;   // SPIFFE ID
    std::string kind;       // `postgres_role`
    std::string provider;   // CredentialProvider's name
    std::string credential; // role name: never a secret
    std::string scope;      // in words: `SELECT on public.biopsies`
    std::string target;     // what the issuer needs to take it back, JSON; no secret
    std::string action;
    std::string resource_type, resource_id;
    std::uint64_t decision = 0; // sequence numbers in the log
    std::uint64_t issuance = 0;
    LeaseState state = LeaseState::pending;
    Timestamp created;
    Timestamp expires;
    std::string reason; // why it ended
    std::optional<Timestamp> revoking; // since when it is to be taken back
    std::optional<Timestamp> ended;
};

} // namespace writ::identity
