// SPDX-License-Identifier: Apache-2.0
//
// Chance is a parameter, as time is. SystemRandom is the kernel's generator; SeededRandom is for tests and simulations only.
#pragma once

#include "base/bytes.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace writ {

// Thread-safe, but for SeededRandom.
class RandomSource {
public:
    virtual ~RandomSource() = default;
    virtual void fill(std::span<std::uint8_t> out) = 0;

    Bytes bytes(std::size_t count);
    // Lower-case RFC 4648 base32 without padding: safe in file names, SQL role names and URLs. 5 bits of chance a character.
    std::string base32(std::size_t characters);
};

// getrandom(2); ends the process if the kernel has none to give.
class SystemRandom final : public RandomSource {
public:
    void fill(std::span<std::uint8_t> out) override;
};

// Not for secrets: repeats itself from its seed.
class SeededRandom final : public RandomSource {
public:
    explicit SeededRandom(std::uint64_t seed)
        : state_(seed)
    {
    }
    void fill(std::span<std::uint8_t> out) override;

private:
    std::uint64_t state_;
};

} // namespace writ
