// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <cerrno>
#include <sys/random.h>

namespace writ {

Bytes RandomSource::bytes(std::size_t count)
{
    Bytes out(count);
    fill(out);
    return out;
}

std::string RandomSource::base32(std::size_t characters)
{
    constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    auto const chance = bytes(characters);
    std::string text;
    text.reserve(characters);
    for (auto const byte : chance)
        text.push_back(alphabet[byte & 31]);
    return text;
}

void SystemRandom::fill(std::span<std::uint8_t> out)
{
    while (!out.empty()) {
        auto const got = ::getrandom(out.data(), out.size(), 0);
        ASSERT(got > 0 || errno == EINTR);
        if (got > 0)
            out = out.subspan(static_cast<std::size_t>(got));
    }
}

void SeededRandom::fill(std::span<std::uint8_t> out)
{
    // SplitMix64 (Steele, Lea, Flood 2014).
    for (auto& byte : out) {
        state_ += 0x9e3779b97f4a7c15U;
        auto mixed = state_;
        mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebU;
        byte = static_cast<std::uint8_t>(mixed ^ mixed >> 31);
    }
}

} // namespace writ
