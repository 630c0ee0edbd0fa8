// SPDX-License-Identifier: Apache-2.0
//
// UTF-8 as RFC 3629 has it: shortest forms, no surrogates, nothing beyond U+10FFFF.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace writ {

// Takes one code point off the front; none, and nothing taken, if the text does not begin with one. REQUIRES: text is not empty.
std::optional<char32_t> take_code_point(std::string_view& text);

// The text with U+FFFD for each byte that is not of UTF-8: for our records of names that others chose, such as paths.
std::string repaired_utf8(std::string_view);

// The whole code points that the first `bytes_max` bytes hold: what is cut elsewhere is no UTF-8 any more, and no JSON.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max);

} // namespace writ
