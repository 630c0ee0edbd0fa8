// SPDX-License-Identifier: Apache-2.0
//
// Changes to a text by place, and the difference they make as `patch -p0` reads it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace writ::replay {

struct TextEdit {
    std::size_t begin = 0, end = 0; // bytes of the old text
    std::string text;               // what comes in their place
};

// REQUIRES of both: edits in the order of their places, apart from each other.
std::string edited(std::string_view text, std::vector<TextEdit> const&);
// A unified difference without context lines; empty without edits.
std::string unified_difference(std::string_view path, std::string_view text, std::vector<TextEdit> const&);

} // namespace writ::replay
