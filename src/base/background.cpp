// SPDX-License-Identifier: Apache-2.0
#include "base/background.h"

#include <sys/resource.h>
#include <unistd.h>

namespace writ {

namespace {

// A quarter of a core beside one other thread: enough to keep up, and no more than is in the other's way.
constexpr int niceness = 5;

} // namespace

void run_in_background()
{
    // On Linux a thread has a niceness of its own. Where it may not be changed, all are equal as before.
    [[maybe_unused]] auto const ignored = ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), niceness);
}

} // namespace writ
