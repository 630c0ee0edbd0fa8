// SPDX-License-Identifier: Apache-2.0
//
// Several tasks at the same time, of one loop.
#pragma once

#include "net/task.h"

#include <vector>

namespace writ::net {

// Starts them all, and waits until the last is done. Whoever waits must wait to the end, as what they refer to is mostly its own. An exception that leaves one is
// a broken invariant, as with EventLoop::spawn().
Task<> wait_for_all(std::vector<Task<>> tasks);

} // namespace writ::net
