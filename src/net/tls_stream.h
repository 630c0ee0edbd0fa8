// SPDX-License-Identifier: Apache-2.0
//
// TLS over any stream. OpenSSL sees buffers in memory only; the stream below does the waiting. Private to net's tls*.
#pragma once

#include "net/stream.h"
#include "net/tls_verification.h"

namespace writ::net {

// Shakes hands as client or server, as `ssl` was set up, within the plain stream's deadline.
// unauthenticated: the peer's certificate does not verify, or it lacks one.
Task<Result<std::unique_ptr<Stream>>> shake_hands(
    SslPtr ssl, std::unique_ptr<Stream> plain, std::unique_ptr<PeerVerification> verification);

} // namespace writ::net
