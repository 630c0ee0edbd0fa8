// SPDX-License-Identifier: Apache-2.0
//
// The files of a run's folder, as what is declared names them: two credentials of one workload have none in common, and none is a file that Writ or another
// credential has there anyway.
#pragma once

#include "authority/declaration.h"
#include "authority/yaml.h"

namespace writ::authority {

// Whether `file` of a CredentialProvider is free to be named.
Result<> check_credential_file(std::string_view name);

// REQUIRES: what is referred to is declared.
void check_credential_files(Declarations const&, std::vector<Problem>& problems);

} // namespace writ::authority
