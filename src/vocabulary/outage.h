// SPDX-License-Identifier: Apache-2.0
//
// What a policy says of an outage of the audit log, in its annotation `@outage`: `refuse`, as without one, or `spool`. Pure.
#pragma once

#include "cedar/ast.h"

#include <set>
#include <string>
#include <vector>

namespace writ::vocabulary {

enum class OutageContract : std::uint8_t {
    refuse, // no record, no answer
    spool,  // the record waits in the spool, and the answer is given
};

// The annotation's value, or refuse; nothing if it is neither.
std::optional<OutageContract> outage_contract_of(cedar::Policy const&);
// Each annotation that says neither is a problem at its place.
void check_outage_contracts(cedar::PolicySet const&, std::vector<cedar::SyntaxProblem>&);
// Ids of the policies that say `spool`.
std::set<std::string, std::less<>> spooling_policies(cedar::PolicySet const&);
// Whether every policy that determined a decision says `spool`. A decision that none determined is refused: default deny has no contract.
bool may_spool(std::set<std::string, std::less<>> const& spooling, std::vector<std::string> const& determining);

} // namespace writ::vocabulary
