// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 of many short messages at once. One message leaves most of a core's SHA units idle, since each round waits for the one before;
// several interleaved do not. Thread-safe.
#pragma once

#include "crypto/digest.h"

namespace writ::crypto {

// digests[i] = SHA-256(prefix ‖ messages[i]): a byte in front as Merkle trees have it. REQUIRES: as many digests as messages.
void sha256_prefixed(std::uint8_t prefix, std::span<BytesView const> messages, std::span<Sha256Digest> digests);
// The same of 64 bytes each, one behind the other: pairs of digests.
void sha256_prefixed_pairs(std::uint8_t prefix, std::span<Sha256Digest const> pairs, std::span<Sha256Digest> digests);

// The two ways, for tests and benchmarks; the functions above take the first where has_sha_instructions().
bool has_sha_instructions();
void sha256_prefixed_interleaved(std::uint8_t prefix, std::span<BytesView const> messages, std::span<Sha256Digest> digests);
void sha256_prefixed_one_by_one(std::uint8_t prefix, std::span<BytesView const> messages, std::span<Sha256Digest> digests);

} // namespace writ::crypto
