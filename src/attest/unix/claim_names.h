// SPDX-License-Identifier: Apache-2.0
//
// What this attestor tells of a process (docs/declarations.md); of a process that has no container, or whose program cannot be read, fewer.
#pragma once

#include <array>
#include <string_view>

namespace writ::attest {

inline constexpr std::array<std::string_view, 10> unix_claim_names { "unix.cgroup", "unix.container", "unix.gid", "unix.group", "unix.image", "unix.path", "unix.sha256",
    "unix.start_time", "unix.uid", "unix.user" };

} // namespace writ::attest
