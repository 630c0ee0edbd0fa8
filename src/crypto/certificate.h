// SPDX-License-Identifier: Apache-2.0
//
// Certificates as OpenSSL's objects. Private to this folder.
#pragma once

#include "crypto/openssl.h"
#include "crypto/x509.h"

namespace writ::crypto {

// One certificate, all of the bytes, within the limit.
Result<X509Ptr> parse_x509(BytesView der);

// What RFC 5280 asks of a certificate and OpenSSL, strict as it can be, lets pass; for each of a path that otherwise verified.
Result<> check_profile(X509*);

} // namespace writ::crypto
