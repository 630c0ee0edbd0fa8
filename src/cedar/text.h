// SPDX-License-Identifier: Apache-2.0
//
// The text forms inside Cedar's literals: escapes of strings, names, and what the extension types' constructors read.
#pragma once

#include "cedar/value.h"

#include <optional>
#include <vector>

namespace writ::cedar {

// In double quotes, with what is not printable escaped.
std::string quoted(std::string_view);
// The same without the quotes; in a pattern `*` is escaped too.
void append_escaped(std::string& to, std::string_view text, bool in_pattern = false);

// The text between the quotes of a string literal with its escapes resolved. `wildcards`, if given, marks the offsets in the result where an
// unescaped `*` stood (it is not in the result), and allows `\*`.
Result<std::string> unescape(std::string_view, std::vector<std::size_t>* wildcards = nullptr);

bool is_identifier(std::string_view);
// Words that are no names: `true false if then else in is like has __cedar`.
bool is_reserved(std::string_view);
// `A`, `A::B`: identifiers that are not reserved.
bool is_name(std::string_view);

std::string decimal_text(Decimal);
std::string duration_text(DurationValue);
std::string ip_address_text(IpAddress const&);
std::optional<std::string> datetime_text(Datetime); // nothing outside the years 0000 to 9999

// The known name that is nearest to a misspelt one, as `; did you mean …?`; empty if none is near.
std::string suggestion(std::string_view name, std::vector<std::string> const& known);

} // namespace writ::cedar
