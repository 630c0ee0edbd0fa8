// SPDX-License-Identifier: Apache-2.0
//
// One question to the kernel's socket diagnostics (sock_diag(7)): whose is the established TCP socket from one loopback port to another? Takes microseconds
// however many sockets there are, where the table in /proc is written out whole for each reader. Linux only; one network namespace; thread-safe.
#pragma once

#include "attest/unix/tcp_peer.h"

namespace writ::attest {

// not_found: there is none, or the kernel has no diagnostics for TCP. unavailable: it may not be asked here.
Result<SocketOwner> ask_sock_diag(std::uint16_t client, std::uint16_t server);

} // namespace writ::attest
