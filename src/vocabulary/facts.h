// SPDX-License-Identifier: Apache-2.0
//
// A workload and the circumstances of its request as policies see them. One place for the authority that decides and for whoever decides
// again from its records.
#pragma once

#include "base/clock.h"
#include "cedar/entity.h"

#include <optional>

namespace writ::vocabulary {

struct WorkloadFacts {
    std::string type = "Workload";
    std::string id;   // SPIFFE ID
    std::string name; // of its declaration
    std::string pipeline, team;
};

// `tags` are the claims that proved it, each a set of texts.
cedar::Entity workload_entity(WorkloadFacts const&, cedar::Record tags);

// What attestation measured of a workload, and when. What was not measured is empty, and absent from its posture.
struct Measured {
    std::string executable_digest; // SHA-256, hexadecimal
    std::string image_digest {};   // of the manifest of its container's image: `sha256:…`
    std::string node;              // SPIFFE ID of the agent that looked
    std::string address;           // from which that agent told of it
    std::optional<Timestamp> attested;
};
cedar::Record posture_of(Measured const&);

struct Circumstances {
    std::string purpose; // empty if none was given
    std::string run;     // empty outside of a run
    Timestamp time;
};

// SECURITY: what a caller sends as context never replaces what the authority knows itself.
cedar::Record context_of(Circumstances const&, Measured const&, cedar::Record sent);
void set_circumstances(cedar::Record& context, Circumstances const&);
cedar::Value time_value(Timestamp); // in milliseconds, as Cedar has them

} // namespace writ::vocabulary
