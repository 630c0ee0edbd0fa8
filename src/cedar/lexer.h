// SPDX-License-Identifier: Apache-2.0
//
// Words of policies and schemas, each with its place. Comments and white space are skipped; their places can be asked for by the formatter.
#pragma once

#include "cedar/policy_set.h"

#include <string_view>

namespace writ::cedar {

enum class TokenKind : std::uint8_t {
    identifier,
    number,  // digits
    string,  // text is between the quotes, escapes unresolved
    slot,    // `?principal`, `?resource`: text is the name
    symbol,  // text is one of ( ) { } [ ] < > , ; : :: . @ == != <= >= && || + - * / % ! = ?
    end,
    invalid, // text is what is wrong with it
};

struct Token {
    TokenKind kind = TokenKind::end;
    std::string_view text;
    SourceSpan span;

    [[nodiscard]] bool is(std::string_view symbol) const { return kind == TokenKind::symbol && text == symbol; }
    [[nodiscard]] bool is_word(std::string_view word) const { return kind == TokenKind::identifier && text == word; }
};

struct Comment {
    std::string_view text; // with its slashes
    SourceSpan span;
};

// One token after the other; after the last, `end` for ever. The views point into `text`, which must outlive them.
class Lexer {
public:
    explicit Lexer(std::string_view text, std::vector<Comment>* comments = nullptr)
        : text_(text)
        , comments_(comments)
    {
    }

    Token next();

private:
    [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
    [[nodiscard]] SourceSpan here() const
    {
        auto const at = static_cast<std::uint32_t>(at_);
        return { at, at, line_, static_cast<int>(at_ - line_begin_) + 1 };
    }
    void advance(std::size_t);
    void skip_space();
    void skip_comment();
    Token token(TokenKind, std::size_t length);
    Token string();

    std::string_view text_;
    std::vector<Comment>* comments_;
    std::size_t at_ = 0;
    std::size_t line_begin_ = 0;
    int line_ = 1;
};

// The token in words: `;`, the end of the text.
std::string describe(Token const&);

} // namespace writ::cedar
