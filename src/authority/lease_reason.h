// SPDX-License-Identifier: Apache-2.0
//
// A lease's reason, and what its system said when it could not be taken back yet, in one text: `run ended; not yet: no answer`.
#pragma once

#include "base/utf8.h"
#include "identity/lease.h"

namespace writ::authority {

inline constexpr std::string_view not_yet = "; not yet: ";
// LIMIT: of what its system said.
inline constexpr std::size_t not_yet_bytes_max = 300;

inline std::string reason_of(identity::Lease const& lease) { return lease.reason.substr(0, lease.reason.find(not_yet)); }

// What its system last said; empty: nothing.
inline std::string last_error_of(identity::Lease const& lease)
{
    auto const at = lease.reason.find(not_yet);
    return at == std::string::npos ? "" : lease.reason.substr(at + not_yet.size());
}

inline std::string with_error(std::string const& reason, std::string_view error)
{
    return reason + std::string(not_yet) + std::string(utf8_prefix(error, not_yet_bytes_max));
}

} // namespace writ::authority
