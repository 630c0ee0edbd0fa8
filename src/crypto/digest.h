// SPDX-License-Identifier: Apache-2.0
//
// SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104). The free functions are thread-safe.
#pragma once

#include "base/bytes.h"

#include <array>
#include <memory>
#include <span>

namespace writ::crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;

Sha256Digest sha256(BytesView);
// Of the parts one after another, without joining them first.
Sha256Digest sha256(std::span<BytesView const> parts);
Sha256Digest hmac_sha256(BytesView key, BytesView message);

// Of bytes that come in pieces: a file. Not thread-safe.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(Sha256 const&) = delete;
    Sha256& operator=(Sha256 const&) = delete;
    void update(BytesView);
    Sha256Digest finish(); // once

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace writ::crypto
