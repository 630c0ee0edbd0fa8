// SPDX-License-Identifier: Apache-2.0
//
// Threads that nobody waits for.
#pragma once

namespace writ {

// The thread that calls it yields to those that somebody waits for: of two that want one core it gets the smaller part.
void run_in_background();

} // namespace writ
