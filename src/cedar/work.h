// SPDX-License-Identifier: Apache-2.0
//
// A bound on what one policy may cost in one decision. Policies have no loops, so that each of their operations runs at most once; but one that
// compares, searches or matches what a request brings costs as much as the request is large. Those are counted, alike in both engines, and a policy
// that goes beyond the limit errs.
#pragma once

#include "cedar/ast.h"
#include "cedar/slot.h"

namespace writ::cedar {

// LIMIT: steps of one policy in one decision, where a step is an element, a member or 64 bytes of text looked at: some hundredths of a second. A
// request of a mebibyte can be searched through once in half of them; an honest policy looks at a few hundred elements.
inline constexpr std::uint64_t evaluation_work_max = 1'000'000;
inline constexpr std::size_t bytes_per_step = 64;

// Steps to look at all of a value; counts no further than a little beyond the limit. Nothing for what is looked at in no time.
std::uint64_t work_of(Value const&);
std::uint64_t work_of(Slot const&);

inline bool costs_work(Slot const& slot) { return slot.is_set() || slot.is_record() || (slot.tag == Slot::Tag::string && slot.extent >= bytes_per_step); }

// Whether an expression is the same for each request and whatever the entities. Making such a set costs a decision nothing: the fast engine has it
// made.
bool is_folded(Expression const&);

} // namespace writ::cedar
