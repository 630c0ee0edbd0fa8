// SPDX-License-Identifier: Apache-2.0
#include "net/tls.h"

namespace writ::net {

struct TlsServerContext::State { };
struct TlsClientContext::State { };
TlsServerContext::~TlsServerContext() = default;
TlsClientContext::~TlsClientContext() = default;

Task<Result<std::unique_ptr<Stream>>> TlsServerContext::accept(std::unique_ptr<Stream>) const { co_return unavailable("no TLS"); }
Task<Result<std::unique_ptr<Stream>>> TlsClientContext::connect(std::unique_ptr<Stream>, std::string) const { co_return unavailable("no TLS"); }

} // namespace writ::net
