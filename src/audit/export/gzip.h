// SPDX-License-Identifier: Apache-2.0
//
// RFC 1952. Thread-safe.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace writ::audit {

Result<std::string> gzip(std::string_view);

} // namespace writ::audit
