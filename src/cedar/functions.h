// SPDX-License-Identifier: Apache-2.0
//
// The pure core of the extension types' methods, shared by both engines.
#pragma once

#include "cedar/value.h"

#include <optional>

namespace writ::cedar {

bool is_loopback(IpAddress const&);
bool is_multicast(IpAddress const&);
// Whether each address of `inner` is one of `outer`; never between IPv4 and IPv6.
bool is_in_range(IpAddress const& inner, IpAddress const& outer);
std::int64_t time_of_day(std::int64_t milliseconds); // since the last midnight in UTC, never negative

// How many arguments an extension function or method takes, the object of a method among them.
std::optional<std::size_t> argument_count(std::string_view name);

} // namespace writ::cedar
