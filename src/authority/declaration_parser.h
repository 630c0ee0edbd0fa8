// SPDX-License-Identifier: Apache-2.0
//
// From declared documents to typed declarations. Each kind's fields are read in one function; every problem is reported with its
// place, and nothing is half-applied.
#pragma once

#include "authority/document_set.h"

namespace writ::authority {

// Cedar files (kind Policies) are left to the snapshot. What has problems is left out of the result.
Declarations parse_declarations(DocumentSet const&, std::vector<Problem>& problems);

} // namespace writ::authority
