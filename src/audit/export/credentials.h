// SPDX-License-Identifier: Apache-2.0
//
// What an export shows of itself and whom it believes, from files. Thread-safe.
#pragma once

#include "audit/export/destination.h"
#include "base/secret.h"
#include "net/tls.h"

namespace writ::audit {

// TLS to the destination's host: the roots of `ca_file` or the system's, and our certificate, if there is one. Errors name the file.
Result<std::shared_ptr<net::TlsClientContext>> create_tls_client(ExportSpecification const&, Clock const&);

// A file's first line.
Result<SecretText> read_secret(std::string const& file);

} // namespace writ::audit
