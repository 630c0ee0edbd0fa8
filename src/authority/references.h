// SPDX-License-Identifier: Apache-2.0
//
// That what one declaration names is declared: a dataset's database, a workload's datasets; and that workloads belong to the trust domain.
#pragma once

#include "authority/declaration.h"

namespace writ::authority {

void check_references(Declarations const&, std::string_view trust_domain, std::vector<Problem>& problems);

} // namespace writ::authority
