// SPDX-License-Identifier: Apache-2.0
//
// A run: one execution of a job, from its first process's exec to that process's end. Leases belong to a run and end with it.
#pragma once

#include "base/clock.h"
#include "base/random.h"

#include <optional>
#include <string>

namespace writ::identity {

struct Run {
    std::string id;       // `run-` and 20 base32 characters
    std::string agent;    // SPIFFE ID of the node's agent
    std::string workload; // SPIFFE ID
    std::string workload_name;
    std::string purpose;
    std::string claims; // JSON of Claims, as attested at its start
    Timestamp started;
    Timestamp seen; // when its agent last vouched for it
    std::optional<Timestamp> ended;
    std::string reason; // why it ended
};

std::string new_run_id(RandomSource&);
bool is_run_id(std::string_view);

} // namespace writ::identity
