// SPDX-License-Identifier: Apache-2.0
//
// /proc/PID/status, stat, cgroup and mountinfo: the kernel writes them, but a process chooses its name and its cgroup's.
#include "attest/unix/proc_files.h"

#include <cstddef>

using namespace writ::attest;

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    (void)parse_proc_status(text).is_ok();
    (void)parse_start_ticks(text).is_ok();
    (void)parse_cgroups(text);
    (void)parse_cgroup2_path(text);
    (void)parse_cgroup2_mount(text);
    return 0;
}
