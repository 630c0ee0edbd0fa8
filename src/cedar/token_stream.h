// SPDX-License-Identifier: Apache-2.0
//
// What the parsers of policies and of schemas stand on: the token at hand, the one behind it, and where the first problem was.
#pragma once

#include "cedar/lexer.h"
#include "cedar/text.h"

namespace writ::cedar {

class TokenStream {
public:
    explicit TokenStream(std::string_view text, std::vector<Comment>* comments = nullptr)
        : lexer_(text, comments)
        , token_(lexer_.next())
        , ahead_(lexer_.next())
    {
    }

    [[nodiscard]] Token const& token() const { return token_; }
    [[nodiscard]] Token const& ahead() const { return ahead_; }
    [[nodiscard]] bool at_end() const { return token_.kind == TokenKind::end; }
    [[nodiscard]] SourceSpan problem_span() const { return problem_span_; }

    Token take()
    {
        last_end_ = token_.span.end;
        auto const taken = token_;
        token_ = ahead_;
        ahead_ = lexer_.next();
        return taken;
    }

    bool take_if(std::string_view symbol)
    {
        if (!token_.is(symbol))
            return false;
        take();
        return true;
    }

    bool take_word_if(std::string_view word)
    {
        if (!token_.is_word(word))
            return false;
        take();
        return true;
    }

    // An error at `span`, which problem_span() then tells.
    Error problem(SourceSpan span, std::string message)
    {
        problem_span_ = span;
        return invalid_argument(std::move(message));
    }
    Error expected(std::string_view what) { return problem(token_.span, "expected " + std::string(what) + ", found " + describe(token_)); }

    Result<> expect(std::string_view symbol)
    {
        if (!token_.is(symbol))
            return expected("`" + std::string(symbol) + "`");
        take();
        return {};
    }

    // From the beginning of `begin` to the last token taken.
    [[nodiscard]] SourceSpan span_from(SourceSpan begin) const
    {
        begin.end = last_end_;
        return begin;
    }

    Result<std::string> take_string()
    {
        if (token_.kind != TokenKind::string)
            return expected("a string");
        auto text = unescape(token_.text);
        if (text.is_error())
            return problem(token_.span, std::move(text).error().message);
        take();
        return text;
    }

    // An identifier that is not reserved.
    Result<std::string> take_identifier(std::string_view what = "a name")
    {
        if (token_.kind != TokenKind::identifier)
            return expected(what);
        if (is_reserved(token_.text))
            return problem(token_.span, describe(token_) + " is a reserved word, no name");
        return std::string(take().text);
    }

    // `A::B::C`; stops before a `::` that a string follows.
    Result<std::string> take_name(std::string_view what = "a name")
    {
        auto name = TRY(take_identifier(what));
        while (token_.is("::") && ahead_.kind == TokenKind::identifier) {
            take();
            name += "::" + TRY(take_identifier(what));
        }
        return name;
    }

    // Goes on behind the next `;`.
    void recover()
    {
        while (!at_end() && !token_.is(";"))
            take();
        take_if(";");
    }

private:
    Lexer lexer_;
    Token token_;
    Token ahead_;
    std::uint32_t last_end_ = 0;
    SourceSpan problem_span_;
};

} // namespace writ::cedar
