// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "base/result.h"
#include "base/secret.h"

namespace writ::cli {

// All of it, or as much as that: what comes there may be a secret.
Result<SecretText> read_standard_input(std::size_t bytes_max);

} // namespace writ::cli
