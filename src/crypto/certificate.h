// SPDX-License-Identifier: Apache-2.0
//
// Certificates as OpenSSL's objects. Private to this folder.
#pragma once

#include "crypto/openssl.h"
#include "crypto/x509.h"

namespace writ::crypto {

// One certificate, all of the bytes, within the limit.
Result<X509Ptr> parse_x509(BytesView der);

} // namespace writ::crypto
