// SPDX-License-Identifier: Apache-2.0
//
// The textual encoding of certificates and keys (RFC 7468), strictly: base64 lines between marks, of one label. Thread-safe.
#pragma once

#include "base/bytes.h"

namespace writ::crypto {

// The blocks of that label (`CERTIFICATE`), in their order; text outside of blocks, and blocks of other labels, are passed over.
// invalid_argument: a block without an end, or that is not base64.
Result<std::vector<Bytes>> parse_pem(std::string_view text, std::string_view label);

} // namespace writ::crypto
