// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <array>

namespace writ {

namespace {

constexpr std::string_view alphabet_standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view alphabet_url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t not_a_digit = 0xff;

constexpr std::array<std::uint8_t, 256> digits_of(std::string_view alphabet)
{
    std::array<std::uint8_t, 256> digits {};
    digits.fill(not_a_digit);
    for (std::size_t i = 0; i < alphabet.size(); ++i)
        digits[static_cast<std::uint8_t>(alphabet[i])] = static_cast<std::uint8_t>(i);
    return digits;
}

constexpr auto digits_standard = digits_of(alphabet_standard);
constexpr auto digits_url = digits_of(alphabet_url);

std::string encode(BytesView bytes, std::string_view alphabet)
{
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    std::uint32_t bits = 0;
    int held = 0;
    for (auto const byte : bytes) {
        bits = (bits << 8 | byte) & 0xffffffU;
        for (held += 8; held >= 6; held -= 6)
            text.push_back(alphabet[bits >> (held - 6) & 63]);
    }
    if (held > 0)
        text.push_back(alphabet[bits << (6 - held) & 63]);
    return text;
}

Result<Bytes> decode(std::string_view text, std::array<std::uint8_t, 256> const& digits)
{
    if (text.size() % 4 == 1)
        return invalid_argument("base64 text has an impossible length");
    Bytes bytes;
    bytes.reserve(text.size() * 3 / 4);
    std::uint32_t bits = 0;
    int held = 0;
    for (auto const character : text) {
        auto const digit = digits[static_cast<std::uint8_t>(character)];
        if (digit == not_a_digit)
            return invalid_argument("base64 text has a character outside its alphabet");
        bits = (bits << 6 | digit) & 0xffffffU;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes.push_back(static_cast<std::uint8_t>(bits >> held));
        }
    }
    if ((bits & ((1U << held) - 1U)) != 0)
        return invalid_argument("base64 text has stray bits at its end");
    return bytes;
}

int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    if (character >= 'a' && character <= 'f')
        return character - 'a' + 10;
    if (character >= 'A' && character <= 'F')
        return character - 'A' + 10;
    return -1;
}

} // namespace

BytesView as_bytes(std::string_view text) { return { reinterpret_cast<std::uint8_t const*>(text.data()), text.size() }; }
std::string_view as_text(BytesView bytes) { return { reinterpret_cast<char const*>(bytes.data()), bytes.size() }; }
Bytes to_bytes(std::string_view text) { return { text.begin(), text.end() }; }
std::string to_text(BytesView bytes) { return std::string(as_text(bytes)); }

std::string to_hex(BytesView bytes)
{
    constexpr std::string_view hex = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (auto const byte : bytes) {
        text.push_back(hex[byte >> 4]);
        text.push_back(hex[byte & 15]);
    }
    return text;
}

Result<Bytes> parse_hex(std::string_view text)
{
    if (text.size() % 2 != 0)
        return invalid_argument("hexadecimal text has an odd length");
    Bytes bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        auto const high = hex_digit(text[i]);
        auto const low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0)
            return invalid_argument("hexadecimal text has a character outside 0-9, a-f");
        bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
    }
    return bytes;
}

std::string to_base64(BytesView bytes)
{
    auto text = encode(bytes, alphabet_standard);
    text.append((4 - text.size() % 4) % 4, '=');
    return text;
}

Result<Bytes> parse_base64(std::string_view text)
{
    if (text.size() % 4 != 0)
        return invalid_argument("base64 text is not padded to a multiple of four");
    for (int padding = 0; padding < 2 && text.ends_with('='); ++padding)
        text.remove_suffix(1);
    return decode(text, digits_standard);
}

std::string to_base64url(BytesView bytes) { return encode(bytes, alphabet_url); }
Result<Bytes> parse_base64url(std::string_view text) { return decode(text, digits_url); }

bool constant_time_equal(BytesView left, BytesView right)
{
    if (left.size() != right.size())
        return false;
    unsigned difference = 0;
    for (std::size_t i = 0; i < left.size(); ++i) {
        difference |= static_cast<unsigned>(left[i] ^ right[i]);
        asm volatile("" : "+r"(difference)); // SECURITY: keeps the compiler from leaving the loop early
    }
    return difference == 0;
}

} // namespace writ
