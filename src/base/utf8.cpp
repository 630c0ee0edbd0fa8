// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include "base/bytes.h"

#include <array>

namespace writ {

namespace {

std::size_t width_of(std::uint8_t first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

// Without a branch for each byte, so that it is done for many at a time.
bool is_ascii(std::string_view text)
{
    std::uint8_t seen = 0;
    for (auto const byte : as_bytes(text))
        seen |= byte;
    return seen < 0x80;
}

} // namespace

std::optional<char32_t> take_code_point(std::string_view& text)
{
    auto const bytes = as_bytes(text);
    auto const width = width_of(bytes[0]);
    if (width == 0 || width > bytes.size())
        return std::nullopt;
    constexpr std::array<std::uint8_t, 5> first_mask = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    char32_t code = bytes[0] & first_mask[width];
    for (auto const byte : bytes.subspan(1, width - 1)) {
        if ((byte & 0xc0U) != 0x80U)
            return std::nullopt;
        code = (code << 6U) | (byte & 0x3fU);
    }
    constexpr std::array<char32_t, 5> least = { 0, 0, 0x80, 0x800, 0x10000 };
    if (code < least[width] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return std::nullopt;
    text.remove_prefix(width);
    return code;
}

std::string repaired_utf8(std::string_view text)
{
    if (is_ascii(text)) // nearly all there is
        return std::string(text);
    std::string repaired;
    repaired.reserve(text.size());
    while (!text.empty()) {
        auto rest = text;
        if (take_code_point(rest)) {
            repaired.append(text.substr(0, text.size() - rest.size()));
            text = rest;
        } else {
            repaired.append("\xEF\xBF\xBD");
            text.remove_prefix(1);
        }
    }
    return repaired;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max)
{
    if (text.size() <= bytes_max)
        return text;
    auto end = bytes_max;
    while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xc0U) == 0x80U)
        --end;
    return text.substr(0, end);
}

} // namespace writ
