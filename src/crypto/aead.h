// SPDX-License-Identifier: Apache-2.0
//
// AES-256-GCM for what is kept on disk: nonce (12 bytes, random) ‖ ciphertext ‖ tag (16). Thread-safe.
#pragma once

#include "base/bytes.h"
#include "base/random.h"
#include "base/secret.h"

namespace writ::crypto {

// REQUIRES: key.reveal().size() == 32. LIMIT: random nonces are safe for 2^32 messages a key (NIST SP 800-38D §8.3); Writ seals a handful.
Bytes seal(SecretBytes const& key, BytesView plaintext, BytesView associated, RandomSource&);
// corruption: not sealed with this key and these associated bytes, or altered.
Result<SecretBytes> open(SecretBytes const& key, BytesView sealed, BytesView associated);

} // namespace writ::crypto
