// SPDX-License-Identifier: Apache-2.0
#include "net/utf8.h"

#include <array>
#include <cstddef>

namespace writ::net {

namespace {

struct Sequence {
    unsigned char first_from, first_to;   // the lead byte
    unsigned char second_from, second_to; // what may follow it; narrower than 80–BF where a longer form or a surrogate would fit
    std::size_t length;
};

// SPEC: RFC 3629 §4.
constexpr std::array<Sequence, 9> sequences { {
    { 0x00, 0x7f, 0x00, 0x00, 1 },
    { 0xc2, 0xdf, 0x80, 0xbf, 2 },
    { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
    { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 },
    { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 },
    { 0xf1, 0xf3, 0x80, 0xbf, 4 },
    { 0xf4, 0xf4, 0x80, 0x8f, 4 },
} };

bool is_within(char c, unsigned char from, unsigned char to)
{
    auto const byte = static_cast<unsigned char>(c);
    return byte >= from && byte <= to;
}

// The length of the sequence that `text` begins with; 0 if it is none.
std::size_t sequence_length(std::string_view text)
{
    for (auto const& sequence : sequences) {
        if (!is_within(text[0], sequence.first_from, sequence.first_to))
            continue;
        if (text.size() < sequence.length)
            return 0;
        if (sequence.length > 1 && !is_within(text[1], sequence.second_from, sequence.second_to))
            return 0;
        for (std::size_t i = 2; i < sequence.length; ++i)
            if (!is_within(text[i], 0x80, 0xbf))
                return 0;
        return sequence.length;
    }
    return 0;
}

} // namespace

bool is_utf8(std::string_view text)
{
    while (!text.empty()) {
        auto const length = sequence_length(text);
        if (length == 0)
            return false;
        text.remove_prefix(length);
    }
    return true;
}

} // namespace writ::net
