// SPDX-License-Identifier: Apache-2.0
//
// Points in time as people type them.
#pragma once

#include "base/clock.h"

#include <optional>

namespace writ::cli {

// RFC 3339, or how long before `now`: `90s`, `30m`, `2h`, `7d`, `4w`.
Result<Timestamp> parse_time_option(std::string_view text, Timestamp now);
// Nothing for an empty text.
Result<std::optional<Timestamp>> parse_since(std::string_view text);

} // namespace writ::cli
