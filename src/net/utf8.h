// SPDX-License-Identifier: Apache-2.0
//
// Whether text is UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing beyond U+10FFFF. Private to net.
#pragma once

#include <string_view>

namespace writ::net {

bool is_utf8(std::string_view);

} // namespace writ::net
