// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace writ {

// The same as in the build's project() line, which a test compares.
inline constexpr std::string_view version_text = "0.1.0";

} // namespace writ
