// SPDX-License-Identifier: Apache-2.0
//
// `ip("…")`: an IPv4 or IPv6 address with an optional prefix length. IPv4 within IPv6 (`::ffff:1.2.3.4`) is refused, as the language has it.
#include "cedar/text.h"

#include <algorithm>

namespace writ::cedar {

namespace {

// LIMIT: the longest text of the form, `ffff:…:ffff/128`.
constexpr std::size_t text_length_max = 43;

Error wrong(std::string_view text) { return invalid_argument("`" + std::string(text.substr(0, 60)) + "` is no IP address"); }

// A decimal number of one to three digits without leading zeros.
std::optional<unsigned> parse_number(std::string_view text, unsigned maximum)
{
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text.front() == '0'))
        return std::nullopt;
    unsigned value = 0;
    for (char const c : text) {
        if (c < '0' || c > '9')
            return std::nullopt;
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= maximum ? std::optional(value) : std::nullopt;
}

std::optional<unsigned> parse_group(std::string_view text)
{
    if (text.empty() || text.size() > 4)
        return std::nullopt;
    unsigned value = 0;
    for (char const c : text) {
        auto const digit = std::string_view("0123456789abcdef").find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
        if (digit == std::string_view::npos)
            return std::nullopt;
        value = value * 16 + static_cast<unsigned>(digit);
    }
    return value;
}

bool parse_v4(std::string_view text, IpAddress& address)
{
    for (std::size_t i = 0; i < 4; ++i) {
        auto const dot = text.find('.');
        auto const byte = parse_number(text.substr(0, dot), 255);
        if (!byte || (dot == std::string_view::npos) != (i == 3))
            return false;
        address.bytes.at(i) = static_cast<std::uint8_t>(*byte);
        text.remove_prefix(dot == std::string_view::npos ? text.size() : dot + 1);
    }
    return true;
}

// Groups parted by single colons; an empty text has none.
std::optional<std::vector<unsigned>> parse_groups(std::string_view text)
{
    std::vector<unsigned> groups;
    while (!text.empty()) {
        auto const colon = text.find(':');
        auto const group = parse_group(text.substr(0, colon));
        if (!group || colon + 1 == text.size())
            return std::nullopt;
        groups.push_back(*group);
        text.remove_prefix(colon == std::string_view::npos ? text.size() : colon + 1);
    }
    return groups;
}

bool parse_v6(std::string_view text, IpAddress& address)
{
    auto const gap = text.find("::");
    auto const head = parse_groups(text.substr(0, gap));
    auto const tail = gap == std::string_view::npos ? std::vector<unsigned> {} : parse_groups(text.substr(gap + 2));
    if (!head || !tail)
        return false;
    auto const count = head->size() + tail->size();
    if (gap == std::string_view::npos ? count != 8 : count > 7)
        return false;
    std::array<unsigned, 8> groups {};
    std::copy(head->begin(), head->end(), groups.begin());
    std::copy(tail->begin(), tail->end(), groups.end() - static_cast<std::ptrdiff_t>(tail->size()));
    for (std::size_t i = 0; i < 8; ++i) {
        address.bytes.at(2 * i) = static_cast<std::uint8_t>(groups.at(i) >> 8U);
        address.bytes.at(2 * i + 1) = static_cast<std::uint8_t>(groups.at(i) & 0xFFU);
    }
    address.is_v6 = true;
    return true;
}

} // namespace

Result<IpAddress> parse_ip_address(std::string_view text)
{
    IpAddress address;
    auto const slash = text.find('/');
    auto const host = text.substr(0, slash);
    bool const has_colon = host.find(':') != std::string_view::npos;
    if (text.size() > text_length_max || !(has_colon ? parse_v6(host, address) : parse_v4(host, address)))
        return wrong(text);
    unsigned const bits = has_colon ? 128 : 32;
    auto const prefix = slash == std::string_view::npos ? bits : parse_number(text.substr(slash + 1), bits);
    if (!prefix)
        return wrong(text);
    address.prefix = static_cast<std::uint8_t>(*prefix);
    return address;
}

std::string ip_address_text(IpAddress const& address)
{
    std::string text;
    if (!address.is_v6) {
        for (std::size_t i = 0; i < 4; ++i)
            text += (i > 0 ? "." : "") + std::to_string(address.bytes.at(i));
    } else {
        static constexpr std::string_view digits = "0123456789abcdef";
        for (std::size_t i = 0; i < 8; ++i) {
            auto const group = static_cast<unsigned>(address.bytes.at(2 * i) << 8U | address.bytes.at(2 * i + 1));
            std::string hex;
            for (unsigned rest = group; rest > 0 || hex.empty(); rest /= 16)
                hex.insert(hex.begin(), digits[rest % 16]);
            text += (i > 0 ? ":" : "") + hex;
        }
    }
    return address.prefix == (address.is_v6 ? 128 : 32) ? text : text + "/" + std::to_string(address.prefix);
}

} // namespace writ::cedar
