// SPDX-License-Identifier: Apache-2.0
//
// Works on words, not on the parsed policy, so that comments keep their place and everything is written as the author wrote it.
#include "cedar/formatter.h"

#include "cedar/lexer.h"
#include "cedar/printer.h"

#include <algorithm>
#include <array>
#include <optional>

namespace writ::cedar {

namespace {

// A word and the comments that stand before it, or behind it on its line.
struct Word {
    Token token;
    std::vector<std::string> before;
    std::string behind;
};

std::string trimmed(std::string_view comment)
{
    while (!comment.empty() && (comment.back() == ' ' || comment.back() == '\t'))
        comment.remove_suffix(1);
    return std::string(comment);
}

std::vector<Word> read_words(std::string_view text)
{
    std::vector<Comment> comments;
    Lexer lexer(text, &comments);
    std::vector<Word> words;
    std::size_t next = 0;
    do {
        Word word { lexer.next(), {}, {} };
        for (; next < comments.size() && comments[next].span.begin < word.token.span.begin; ++next) {
            bool const is_behind = !words.empty() && word.before.empty() && words.back().behind.empty() && comments[next].span.line == words.back().token.span.line;
            (is_behind ? words.back().behind : word.before.emplace_back()) = trimmed(comments[next].text);
        }
        words.push_back(std::move(word));
    } while (words.back().token.kind != TokenKind::end);
    // Comments behind the last word are read before `end`.
    for (; next < comments.size(); ++next)
        words.back().before.push_back(trimmed(comments[next].text));
    return words;
}

std::string text_of(Token const& token)
{
    if (token.kind == TokenKind::string)
        return "\"" + std::string(token.text) + "\"";
    return (token.kind == TokenKind::slot ? "?" : "") + std::string(token.text);
}

bool is_opening(Token const& token) { return token.is("(") || token.is("[") || token.is("{"); }
bool is_closing(Token const& token) { return token.is(")") || token.is("]") || token.is("}"); }

// Whether words stand apart on one line.
bool needs_space(Token const& left, Token const& right, bool left_is_sign)
{
    if (right.is(",") || right.is(";") || right.is(".") || left.is(".") || right.is("::") || left.is("::") || left.is("@") || right.is(":"))
        return false;
    if (left.is("(") || left.is("[") || right.is(")") || right.is("]") || left.is("!") || left_is_sign)
        return false;
    if (left.is("{") || right.is("}"))
        return !(left.is("{") && right.is("}"));
    if (right.is("(") || right.is("[")) {
        // A call or an access, or a word of the language before a parenthesis.
        static constexpr std::array<std::string_view, 9> words { "if", "then", "else", "in", "has", "like", "is", "permit", "forbid" };
        bool const is_word = left.kind == TokenKind::identifier && std::find(words.begin(), words.end(), left.text) != words.end();
        return is_word || !(left.kind == TokenKind::identifier || is_closing(left) || left.kind == TokenKind::string);
    }
    return true;
}

class Formatter {
public:
    explicit Formatter(std::vector<Word> words)
        : words_(std::move(words))
    {
    }

    std::string run()
    {
        while (words_[at_].token.kind != TokenKind::end) {
            if (!text_.empty())
                text_ += "\n";
            policy();
        }
        if (!words_[at_].before.empty() && !text_.empty())
            text_ += "\n";
        comments(words_[at_], "");
        return std::move(text_);
    }

private:
    [[nodiscard]] Token const& token() const { return words_[at_].token; }

    void comments(Word const& word, std::string const& indent)
    {
        for (auto const& comment : word.before)
            text_ += indent + comment + "\n";
    }

    // The words [from, to) on one line, or nothing if a comment stands between them.
    [[nodiscard]] std::optional<std::string> on_one_line(std::size_t from, std::size_t to) const
    {
        std::string line;
        bool is_sign = false;
        for (auto i = from; i < to; ++i) {
            if ((i > from && !words_[i].before.empty()) || (i + 1 < to && !words_[i].behind.empty()))
                return std::nullopt;
            if (i > from && needs_space(words_[i - 1].token, words_[i].token, is_sign))
                line += " ";
            is_sign = words_[i].token.is("-") && (i == from || is_prefix_position(words_[i - 1].token));
            line += text_of(words_[i].token);
        }
        return line;
    }

    // Whether a `-` behind this word is a sign.
    static bool is_prefix_position(Token const& before)
    {
        if (before.kind == TokenKind::symbol)
            return !is_closing(before);
        return before.kind == TokenKind::identifier
            && (before.text == "if" || before.text == "then" || before.text == "else" || before.text == "in" || before.text == "unless" || before.text == "when");
    }

    [[nodiscard]] std::size_t matching(std::size_t open) const
    {
        int depth = 0;
        for (auto i = open;; ++i) {
            depth += is_opening(words_[i].token) ? 1 : is_closing(words_[i].token) ? -1 : 0;
            if (depth == 0)
                return i;
        }
    }

    void end_line(std::size_t last)
    {
        if (!words_[last].behind.empty())
            text_ += " " + words_[last].behind;
        text_ += "\n";
    }

    void policy()
    {
        while (token().is("@")) {
            auto const end = words_[at_ + 2].token.is("(") ? matching(at_ + 2) + 1 : at_ + 2;
            lines(at_, end, "");
            at_ = end;
        }
        auto const close = matching(at_ + 1);
        scope(close);
        at_ = close + 1;
        while (!token().is(";"))
            condition();
        // The semicolon goes to the end of the last line; comments that cannot follow it there stand before what comes next.
        auto& semicolon = words_[at_];
        auto const tail = std::exchange(pending_comment_, "");
        auto next = semicolon.before;
        auto const& last = tail.empty() ? semicolon.behind : tail;
        if (!tail.empty() && !semicolon.behind.empty())
            next.push_back(semicolon.behind);
        text_.resize(text_.find_last_not_of('\n') + 1);
        text_ += ";" + (last.empty() ? "" : " " + last) + "\n";
        ++at_;
        words_[at_].before.insert(words_[at_].before.begin(), next.begin(), next.end());
    }

    // `permit (principal, action, resource)` if it fits, else each on a line of its own.
    void scope(std::size_t close)
    {
        lead_in();
        auto const line = on_one_line(at_, close + 1);
        if (line && line->size() <= line_columns_max) {
            text_ += *line;
            hold(close);
            return;
        }
        text_ += text_of(token()) + " (";
        end_line(at_ + 1);
        items(at_ + 2, close, "  ");
        comments(words_[close], "  ");
        text_ += ")";
        hold(close);
    }

    // Comments before `permit (` or `when {`, and those between the two words.
    void lead_in()
    {
        comments(words_[at_], "");
        if (auto const behind = std::exchange(words_[at_].behind, ""); !behind.empty())
            text_ += behind + "\n";
        comments(words_[at_ + 1], "");
        words_[at_ + 1].before.clear();
    }

    // A comment behind the last word of a line that the semicolon may still join.
    void hold(std::size_t last)
    {
        pending_comment_ = words_[last].behind;
        text_ += "\n";
    }

    void release()
    {
        if (!pending_comment_.empty())
            text_.insert(text_.find_last_not_of('\n') + 1, " " + pending_comment_);
        pending_comment_.clear();
    }

    void condition()
    {
        release();
        auto const close = matching(at_ + 1);
        lead_in();
        auto const line = on_one_line(at_, close + 1);
        if (line && line->size() <= line_columns_max) {
            text_ += *line;
        } else {
            text_ += text_of(token()) + " {";
            end_line(at_ + 1);
            lines(at_ + 2, close, "  ");
            comments(words_[close], "  ");
            text_ += "}";
        }
        hold(close);
        at_ = close + 1;
    }

    // What commas part, each on a line.
    void items(std::size_t from, std::size_t to, std::string const& indent)
    {
        while (from < to) {
            int depth = 0;
            auto end = from;
            for (; end < to && !(depth == 0 && words_[end].token.is(",")); ++end)
                depth += is_opening(words_[end].token) ? 1 : is_closing(words_[end].token) ? -1 : 0;
            lines(from, std::min(end + 1, to), indent);
            from = end + 1;
        }
    }

    // The words [from, to) on as few lines as go: broken before the loosest operator, else inside brackets.
    void lines(std::size_t from, std::size_t to, std::string const& indent)
    {
        auto const line = on_one_line(from, to);
        if (line && indent.size() + line->size() <= line_columns_max) {
            comments(words_[from], indent);
            text_ += indent + *line;
            end_line(to - 1);
            return;
        }
        if (auto const parts = split(from, to); parts.size() > 1) {
            for (std::size_t i = 0; i + 1 < parts.size(); ++i)
                lines(parts[i], parts[i + 1], indent);
            return;
        }
        if (bracketed(from, to, indent))
            return;
        one_by_one(from, to, indent);
    }

    // Where to break before `||`, else before `&&`; before `then` and `else`. The bounds are among them.
    [[nodiscard]] std::vector<std::size_t> split(std::size_t from, std::size_t to) const
    {
        for (auto const& signs : { std::array<std::string_view, 2> { "then", "else" }, { "||", "||" }, { "&&", "&&" } }) {
            std::vector<std::size_t> parts { from };
            int depth = 0;
            for (auto i = from; i < to; ++i) {
                auto const& word = words_[i].token;
                depth += is_opening(word) ? 1 : is_closing(word) ? -1 : 0;
                bool const is_break = word.kind != TokenKind::string && (word.text == signs[0] || word.text == signs[1]);
                if (depth == 0 && i > from && is_break)
                    parts.push_back(i);
            }
            parts.push_back(to);
            if (parts.size() > 2)
                return parts;
        }
        return { from };
    }

    // `head(`, the inside with more indent, `) tail`.
    bool bracketed(std::size_t from, std::size_t to, std::string const& indent)
    {
        auto open = from;
        while (open < to && !(is_opening(words_[open].token) && matching(open) > open + 1))
            ++open;
        if (open >= to)
            return false;
        auto const close = matching(open);
        auto const head = on_one_line(from, open + 1);
        auto const tail = on_one_line(close, to);
        if (close >= to || !head || !tail)
            return false;
        comments(words_[from], indent);
        text_ += indent + *head;
        end_line(open);
        items(open + 1, close, indent + "  ");
        comments(words_[close], indent + "  ");
        text_ += indent + *tail;
        end_line(to - 1);
        return true;
    }

    // The last resort, where comments stand between: a break behind each word that has one.
    void one_by_one(std::size_t from, std::size_t to, std::string const& indent)
    {
        for (auto i = from; i < to;) {
            auto end = i + 1;
            while (end < to && words_[end - 1].behind.empty() && words_[end].before.empty())
                ++end;
            comments(words_[i], indent);
            text_ += indent + on_one_line(i, end).value_or("");
            end_line(end - 1);
            i = end;
        }
    }

    std::vector<Word> words_;
    std::size_t at_ = 0;
    std::string text_;
    std::string pending_comment_;
};

bool says_the_same(PolicySet const& left, PolicySet const& right)
{
    auto const same = [](auto const& a, auto const& b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto const& x, auto const& y) { return to_string(*x) == to_string(*y); });
    };
    return same(left.policies(), right.policies()) && same(left.templates(), right.templates());
}

std::vector<std::string> comments_of(std::string_view text)
{
    std::vector<std::string> comments;
    for (auto const& word : read_words(text)) {
        comments.insert(comments.end(), word.before.begin(), word.before.end());
        if (!word.behind.empty())
            comments.push_back(word.behind);
    }
    std::sort(comments.begin(), comments.end());
    return comments;
}

} // namespace

std::string format_policies(PolicySource const& source, std::vector<SyntaxProblem>& problems)
{
    auto const before = problems.size();
    auto const set = PolicySet::parse_numbered({ source }, problems);
    if (problems.size() != before)
        return source.text;
    auto text = Formatter(read_words(source.text)).run();
    auto const again = PolicySet::parse_numbered({ { source.path, text } }, problems);
    if (problems.size() == before && says_the_same(set, again) && comments_of(text) == comments_of(source.text))
        return text;
    problems.push_back({ source.path, {}, "cannot be laid out without changing what it says" });
    return source.text;
}

} // namespace writ::cedar
