// SPDX-License-Identifier: Apache-2.0
#include "cedar/text.h"

#include <algorithm>

namespace writ::cedar {

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

void append_utf8(std::string& to, std::uint32_t point)
{
    auto const add = [&](std::uint32_t byte) { to.push_back(static_cast<char>(byte)); };
    if (point < 0x80) {
        add(point);
    } else if (point < 0x800) {
        add(0xC0U | point >> 6U);
        add(0x80U | (point & 0x3FU));
    } else if (point < 0x10000) {
        add(0xE0U | point >> 12U);
        add(0x80U | (point >> 6U & 0x3FU));
        add(0x80U | (point & 0x3FU));
    } else {
        add(0xF0U | point >> 18U);
        add(0x80U | (point >> 12U & 0x3FU));
        add(0x80U | (point >> 6U & 0x3FU));
        add(0x80U | (point & 0x3FU));
    }
}

void append_code_point_escape(std::string& to, unsigned point)
{
    static constexpr std::string_view digits = "0123456789abcdef";
    to += "\\u{";
    if (point >= 16)
        to.push_back(digits[point / 16]);
    to.push_back(digits[point % 16]);
    to.push_back('}');
}

// Reads one escape that begins at `text[at]` behind the backslash.
class EscapeReader {
public:
    EscapeReader(std::string_view text, std::size_t at)
        : text_(text)
        , at_(at)
    {
    }

    Result<std::size_t> read(std::string& to)
    {
        if (at_ == text_.size())
            return invalid_argument("string ends in a backslash");
        char const kind = text_[at_++];
        if (auto const simple = std::string_view("nrt\\0'\"").find(kind); simple != std::string_view::npos) {
            to.push_back("\n\r\t\\\0'\""[simple]);
            return at_;
        }
        if (kind == 'x')
            TRY(read_byte(to));
        else if (kind == 'u')
            TRY(read_code_point(to));
        else
            return invalid_argument(std::string("unknown escape `\\") + kind + "`");
        return at_;
    }

private:
    Result<> read_byte(std::string& to)
    {
        int const high = at_ < text_.size() ? hex_digit(text_[at_]) : -1;
        int const low = at_ + 1 < text_.size() ? hex_digit(text_[at_ + 1]) : -1;
        if (high < 0 || low < 0)
            return invalid_argument("`\\x` needs two hexadecimal digits");
        if (high > 7)
            return invalid_argument("`\\x` reaches to 7f; beyond it use `\\u{}`");
        to.push_back(static_cast<char>(high * 16 + low));
        at_ += 2;
        return {};
    }

    Result<> read_code_point(std::string& to)
    {
        auto const wrong = [] { return invalid_argument("`\\u` needs one to six hexadecimal digits in braces"); };
        if (at_ == text_.size() || text_[at_++] != '{')
            return wrong();
        std::uint32_t point = 0;
        int digits = 0;
        for (; at_ < text_.size() && text_[at_] != '}'; ++at_) {
            if (text_[at_] == '_' && digits > 0)
                continue;
            int const digit = hex_digit(text_[at_]);
            if (digit < 0 || ++digits > 6)
                return wrong();
            point = point * 16 + static_cast<std::uint32_t>(digit);
        }
        if (at_ == text_.size() || digits == 0)
            return wrong();
        ++at_;
        if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000))
            return invalid_argument("`\\u{}` names no Unicode character");
        append_utf8(to, point);
        return {};
    }

    std::string_view text_;
    std::size_t at_;
};

} // namespace

void append_escaped(std::string& to, std::string_view text, bool in_pattern)
{
    static constexpr std::string_view letters = "nrt\\0\"";
    for (char const c : text) {
        auto const byte = static_cast<unsigned char>(c);
        if (auto const escape = std::string_view("\n\r\t\\\0\"", 6).find(c); escape != std::string_view::npos) {
            to.push_back('\\');
            to.push_back(letters[escape]);
        } else if (byte < 0x20 || byte == 0x7F) {
            append_code_point_escape(to, byte);
        } else if (c == '*' && in_pattern) {
            to += "\\*";
        } else {
            to.push_back(c);
        }
    }
}

std::string quoted(std::string_view text)
{
    std::string result = "\"";
    append_escaped(result, text);
    return result + "\"";
}

Result<std::string> unescape(std::string_view text, std::vector<std::size_t>* wildcards)
{
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        char const c = text[at++];
        if (c == '*' && wildcards != nullptr) {
            wildcards->push_back(result.size());
        } else if (c == '\\' && wildcards != nullptr && at < text.size() && text[at] == '*') {
            result.push_back('*');
            ++at;
        } else if (c == '\\') {
            at = TRY(EscapeReader(text, at).read(result));
        } else if (c == '\r') {
            return invalid_argument("bare carriage return in a string; write `\\r`");
        } else {
            result.push_back(c);
        }
    }
    return result;
}

bool is_identifier(std::string_view text)
{
    return !text.empty() && is_letter(text.front()) && std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

bool is_reserved(std::string_view word)
{
    static constexpr std::array<std::string_view, 10> words { "true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar" };
    static constexpr std::size_t longest = 7;
    return word.size() <= longest && std::find(words.begin(), words.end(), word) != words.end();
}

bool is_name(std::string_view text)
{
    for (;;) {
        auto const colons = text.find("::");
        auto const part = text.substr(0, colons);
        if (!is_identifier(part) || is_reserved(part))
            return false;
        if (colons == std::string_view::npos)
            return true;
        text.remove_prefix(colons + 2);
    }
}

namespace {

std::size_t edit_distance(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> row(right.size() + 1);
    for (std::size_t j = 0; j <= right.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= left.size(); ++i) {
        auto diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= right.size(); ++j) {
            auto const above = row[j];
            row[j] = std::min({ above + 1, row[j - 1] + 1, diagonal + (left[i - 1] == right[j - 1] ? 0 : 1) });
            diagonal = above;
        }
    }
    return row.back();
}

} // namespace

std::string suggestion(std::string_view name, std::vector<std::string> const& known)
{
    // LIMIT: names longer than any that is written by hand are not compared.
    static constexpr std::size_t compared_bytes_max = 100;
    std::string_view nearest;
    // Between names of one or two letters everything is near.
    if (name.size() < 3)
        return "";
    auto least = std::max<std::size_t>(name.size() / 3, 1) + 1;
    for (auto const& candidate : known)
        if (name.size() <= compared_bytes_max && candidate.size() <= compared_bytes_max)
            if (auto const distance = edit_distance(name, candidate); distance < least) {
                nearest = candidate;
                least = distance;
            }
    return nearest.empty() ? "" : "; did you mean `" + std::string(nearest) + "`?";
}

} // namespace writ::cedar
