// SPDX-License-Identifier: Apache-2.0
//
// Named profiles of AWS's configuration: code that names one must still find it, and find the run's credentials behind it.
#pragma once

#include "base/durable_file.h"

#include <set>
#include <string>
#include <string_view>

namespace writ::cli {

// LIMIT: profiles that are carried over; more are left out.
inline constexpr std::size_t aws_profiles_max = 200;

// The names of `[profile NAME]` and `[NAME]` sections. What is no plain name is left out; keys and values are not looked at.
std::set<std::string> aws_profile_names(std::string_view text);

// A configuration with these profiles, whose credentials are what `command --profile NAME` prints (credential_process).
std::string aws_config_text(std::set<std::string> const& profiles, std::string_view region, std::string_view command);

// `"a b"` where it must be, as the clients split a credential_process. REQUIRES: no quote, line break or backslash in it.
std::string quote_for_process(std::string_view word);

} // namespace writ::cli
