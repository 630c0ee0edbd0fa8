// SPDX-License-Identifier: Apache-2.0
#include "cedar/lexer.h"

#include <algorithm>
#include <array>

namespace writ::cedar {

namespace {

constexpr bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

// By byte: most of a text is words.
constexpr auto word_parts = [] {
    std::array<bool, 256> table {};
    for (int c = 0; c < 128; ++c)
        table[static_cast<std::size_t>(c)] = is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c));
    return table;
}();
bool is_word_part(char c) { return word_parts[static_cast<unsigned char>(c)]; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// White space beyond the usual, as Unicode's White_Space has it.
constexpr std::array<std::string_view, 20> wide_spaces { "\u0085", "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005",
    "\u2006", "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000", "\v" };

// The length of the symbol that `c` begins, `next` being the character behind it; 0: it begins none.
std::size_t symbol_length(char c, char next)
{
    switch (c) {
    case ':': return next == ':' ? 2 : 1;
    case '=':
    case '!':
    case '<':
    case '>': return next == '=' ? 2 : 1;
    case '&':
    case '|': return next == c ? 2 : 0;
    case '(':
    case ')':
    case '{':
    case '}':
    case '[':
    case ']':
    case ',':
    case ';':
    case '.':
    case '@':
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
    case '?': return 1;
    default: return 0;
    }
}

bool may_be_wide(char c) { return c == '\v' || static_cast<unsigned char>(c) >= 0x80U; }

std::size_t wide_space_length(std::string_view text)
{
    auto const* const space = std::find_if(wide_spaces.begin(), wide_spaces.end(), [&](auto wide) { return text.starts_with(wide); });
    return space == wide_spaces.end() ? 0 : space->size();
}

template <typename Predicate>
std::size_t run_length(std::string_view text, Predicate&& holds)
{
    std::size_t length = 0;
    while (length < text.size() && holds(text[length]))
        ++length;
    return length;
}

} // namespace

void Lexer::advance(std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i)
        if (text_[at_++] == '\n') {
            ++line_;
            line_begin_ = at_;
        }
}

void Lexer::skip_space()
{
    for (;;) {
        if (at_ == text_.size())
            return;
        char const c = text_[at_];
        if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            ++at_;
        } else if (c == '\n') {
            advance(1);
        } else if (c == '/' && rest().starts_with("//")) {
            skip_comment();
        } else {
            auto const length = may_be_wide(c) ? wide_space_length(rest()) : 0;
            if (length == 0)
                return;
            advance(length);
        }
    }
}

void Lexer::skip_comment()
{
    auto span = here();
    advance(std::min(rest().find_first_of("\r\n"), rest().size()));
    span.end = static_cast<std::uint32_t>(at_);
    if (comments_ != nullptr)
        comments_->push_back({ text_.substr(span.begin, span.end - span.begin), span });
}

Token Lexer::token(TokenKind kind, std::size_t length)
{
    Token made { kind, rest().substr(0, length), here() };
    at_ += length; // no token but a string has a line's end within it
    made.span.end = static_cast<std::uint32_t>(at_);
    return made;
}

Token Lexer::next()
{
    skip_space();
    if (at_ == text_.size())
        return { TokenKind::end, {}, here() };
    char const c = text_[at_];
    if (is_letter(c))
        return token(TokenKind::identifier, run_length(rest(), is_word_part));
    if (is_digit(c))
        return token(TokenKind::number, run_length(rest(), is_digit));
    if (c == '"')
        return string();
    if (c == '?')
        for (std::string_view const slot : { "?principal", "?resource" })
            if (rest().starts_with(slot) && run_length(rest().substr(1), is_word_part) == slot.size() - 1) {
                auto made = token(TokenKind::slot, slot.size());
                made.text.remove_prefix(1);
                return made;
            }
    if (auto const length = symbol_length(c, at_ + 1 < text_.size() ? text_[at_ + 1] : '\0'); length != 0)
        return token(TokenKind::symbol, length);
    // All bytes of one character, so that a message can show it.
    return token(TokenKind::invalid, 1 + run_length(rest().substr(1), is_continuation));
}

Token Lexer::string()
{
    auto span = here();
    std::size_t end = at_ + 1;
    // A backslash takes any character but a line feed with it.
    while (end < text_.size() && text_[end] != '"')
        end += text_[end] == '\\' && end + 1 < text_.size() && text_[end + 1] != '\n' ? 2 : 1;
    bool const closed = end < text_.size();
    end = std::min(end, text_.size());
    auto const inside = text_.substr(at_ + 1, end - at_ - 1);
    advance(std::min(end + 1, text_.size()) - at_);
    span.end = static_cast<std::uint32_t>(at_);
    return closed ? Token { TokenKind::string, inside, span } : Token { TokenKind::invalid, "string without an end", span };
}

std::string describe(Token const& token)
{
    switch (token.kind) {
    case TokenKind::end: return "the end of the text";
    case TokenKind::string: return "a string";
    case TokenKind::slot: return "`?" + std::string(token.text) + "`";
    default: return "`" + std::string(token.text.substr(0, 60)) + "`";
    }
}

} // namespace writ::cedar
