// SPDX-License-Identifier: Apache-2.0
//
// Limits that more than one folder obeys. A limit of one parser stands in that parser's header.
#pragma once

#include <cstddef>

namespace writ::limits {

// LIMIT: a request body; the largest legitimate one is a set of declarations, some hundred KiB for a thousand workloads.
inline constexpr std::size_t request_body_bytes_max = 4U << 20U;
// LIMIT: nesting of any JSON from outside; nothing Writ reads is deeper than ten.
inline constexpr std::size_t json_depth_max = 32;
// LIMIT: one audit record; entry bundles hold a length of 16 bits (C2SP tlog-tiles).
inline constexpr std::size_t record_bytes_max = 65'535;

} // namespace writ::limits
