// SPDX-License-Identifier: Apache-2.0
#include "hurl.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>
#include <regex>

namespace writ::conformance {

namespace {

constexpr std::string_view fence = "```";

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0)
        text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0)
        text.remove_suffix(1);
    return text;
}

std::string lower(std::string_view text)
{
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

bool is_method(std::string_view word)
{
    return word == "GET" || word == "POST" || word == "PUT" || word == "HEAD" || word == "DELETE" || word == "OPTIONS" || word == "PATCH";
}

class Reader {
public:
    explicit Reader(std::string_view text)
    {
        while (!text.empty()) {
            auto const end = std::min(text.find('\n'), text.size());
            lines_.emplace_back(text.substr(0, end));
            text.remove_prefix(std::min(text.size(), end + 1));
        }
    }

    Result<std::vector<HurlEntry>> read()
    {
        std::vector<HurlEntry> entries;
        for (skip_blank(); place_ < lines_.size(); skip_blank())
            entries.push_back(TRY(read_entry().in("line " + std::to_string(place_ + 1))));
        return entries;
    }

private:
    [[nodiscard]] std::string_view line() const { return trimmed(lines_[place_]); }
    void skip_blank()
    {
        while (place_ < lines_.size() && (line().empty() || line().starts_with('#')))
            ++place_;
    }

    Result<HurlEntry> read_entry()
    {
        HurlEntry entry { .line = static_cast<int>(place_ + 1) };
        auto const first = line();
        auto const space = first.find(' ');
        entry.method = first.substr(0, space);
        if (space == std::string_view::npos || !is_method(entry.method))
            return invalid_argument("`" + std::string(first) + "` is no request");
        auto url = trimmed(first.substr(space));
        auto const scheme = url.find("//");
        auto const slash = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 2);
        entry.path = slash == std::string_view::npos ? "/" : url.substr(slash);
        ++place_;
        TRY(read_request(entry));
        skip_blank();
        if (place_ < lines_.size() && line().starts_with("HTTP"))
            TRY(read_response(entry));
        return entry;
    }

    Result<> read_request(HurlEntry& entry)
    {
        for (skip_blank(); place_ < lines_.size() && !line().starts_with("HTTP"); skip_blank()) {
            if (is_method(line().substr(0, line().find(' '))))
                return {};
            if (auto body = TRY(take_body()))
                entry.body = std::move(*body);
            else if (line().starts_with('['))
                return invalid_argument("section `" + std::string(line()) + "` of a request is not known here");
            else
                ++place_; // a header; a witness looks at none
        }
        return {};
    }

    // A body at this line, if there is one.
    Result<std::optional<std::string>> take_body()
    {
        auto const text = line();
        if (text.starts_with(fence))
            return take_fenced();
        if (text.starts_with('`') && text.ends_with('`') && text.size() >= 2) {
            ++place_;
            return std::optional(std::string(text.substr(1, text.size() - 2)));
        }
        if (text.starts_with("file,") || text.starts_with("base64,") || text.starts_with("hex,"))
            return invalid_argument("a body `" + std::string(text.substr(0, 8)) + "…` is not known here");
        return std::optional<std::string>();
    }

    // SPEC: Hurl, multiline string body: what is behind the first fence's line, up to the closing one.
    Result<std::optional<std::string>> take_fenced()
    {
        auto const first = line().substr(fence.size());
        if (auto const end = first.find(fence); end != std::string_view::npos) {
            ++place_;
            return std::optional(std::string(first.substr(0, end)));
        }
        std::string body;
        for (++place_; place_ < lines_.size(); ++place_) {
            auto const& text = lines_[place_];
            if (auto const end = text.find(fence); end != std::string::npos) {
                body += text.substr(0, end);
                ++place_;
                return std::optional(std::move(body));
            }
            body += text + "\n";
        }
        return invalid_argument("a body without its end");
    }

    Result<> read_response(HurlEntry& entry)
    {
        auto const words = line();
        auto const code = trimmed(words.substr(std::min(words.size(), words.find(' '))));
        if (code != "*" && std::from_chars(code.data(), code.data() + code.size(), entry.status).ec != std::errc())
            return invalid_argument("`" + std::string(words) + "` has no status");
        ++place_;
        auto is_asserting = false;
        for (skip_blank(); place_ < lines_.size(); skip_blank()) {
            auto const text = line();
            if (is_method(text.substr(0, text.find(' '))) && text.find(' ') != std::string_view::npos)
                return {};
            if (text == "[Asserts]")
                is_asserting = true, ++place_;
            else if (text.starts_with('['))
                return invalid_argument("section `" + std::string(text) + "` of a response is not known here");
            else if (auto body = TRY(take_body()))
                entry.expected_body = std::move(*body);
            else if (is_asserting)
                entry.asserts.emplace_back(text), ++place_;
            else if (auto const colon = text.find(':'); colon != std::string_view::npos)
                entry.headers[lower(trimmed(text.substr(0, colon)))] = trimmed(text.substr(colon + 1)), ++place_;
            else
                return invalid_argument("`" + std::string(text) + "` is not known here");
        }
        return {};
    }

    std::vector<std::string> lines_;
    std::size_t place_ = 0;
};

// A quoted string with its escapes, or /a regular expression/, or a word, off the front.
Result<std::string> take_value(std::string_view& rest)
{
    rest = trimmed(rest);
    std::string value;
    if (rest.starts_with('"')) {
        for (std::size_t i = 1; i < rest.size(); ++i) {
            if (rest[i] == '"') {
                rest.remove_prefix(i + 1);
                return value;
            }
            if (rest[i] == '\\' && i + 1 < rest.size()) {
                ++i;
                value += rest[i] == 'n' ? '\n' : rest[i] == 't' ? '\t' : rest[i] == 'r' ? '\r' : rest[i];
            } else {
                value += rest[i];
            }
        }
        return invalid_argument("a text without its end");
    }
    if (rest.starts_with('/') && rest.rfind('/') > 0) {
        value = rest.substr(1, rest.rfind('/') - 1);
        rest = {};
        return value;
    }
    if (rest.starts_with('`') && rest.rfind('`') > 0) {
        value = rest.substr(1, rest.rfind('`') - 1);
        rest = {};
        return value;
    }
    auto const end = std::min(rest.find(' '), rest.size());
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    return value;
}

Result<bool> compare(std::string const& found, std::string const& predicate, std::string const& wanted)
{
    if (predicate == "==" || predicate == "equals")
        return found == wanted;
    if (predicate == "!=" || predicate == "notEquals")
        return found != wanted;
    if (predicate == "contains" || predicate == "includes")
        return found.find(wanted) != std::string::npos;
    if (predicate == "startsWith")
        return found.starts_with(wanted);
    if (predicate == "endsWith")
        return found.ends_with(wanted);
    if (predicate != "matches")
        return invalid_argument("predicate `" + predicate + "` is not known here");
    try {
        return std::regex_search(found, std::regex(wanted, std::regex::ECMAScript | std::regex::multiline));
    } catch (std::regex_error const& error) {
        return invalid_argument("`" + wanted + "`: " + error.what());
    }
}

Result<> check_assert(std::string_view text, HurlAnswer const& answer)
{
    auto const whole = std::string(text);
    auto const query = TRY(take_value(text));
    std::string found;
    if (query == "body")
        found = answer.body;
    else if (query == "status")
        found = std::to_string(answer.status);
    else if (query == "header" && lower(TRY(take_value(text))) == "content-type")
        found = answer.content_type;
    else
        return invalid_argument("assert `" + whole + "` is not known here");
    auto predicate = TRY(take_value(text));
    auto const is_negated = predicate == "not";
    if (is_negated)
        predicate = TRY(take_value(text));
    if (predicate == "exists")
        return is_negated == found.empty() ? Result<>() : Result<>(corruption(whole));
    auto const wanted = TRY(take_value(text));
    if (TRY(compare(found, predicate, wanted)) == is_negated)
        return corruption("`" + whole + "` does not hold of `" + found + "`");
    return {};
}

} // namespace

Result<std::vector<HurlEntry>> parse_hurl(std::string_view text) { return Reader(text).read(); }

Result<> check_hurl(HurlEntry const& entry, HurlAnswer const& answer)
{
    if (entry.status != 0 && entry.status != answer.status)
        return corruption("status " + std::to_string(answer.status) + ", not " + std::to_string(entry.status) + ": " + answer.body);
    for (auto const& [name, value] : entry.headers) {
        if (name != "content-type")
            return invalid_argument("header `" + name + "` is not known here");
        if (!answer.content_type.starts_with(value))
            return corruption("content type `" + answer.content_type + "`, not `" + value + "`");
    }
    if (entry.expected_body && *entry.expected_body != answer.body)
        return corruption("body `" + answer.body + "`, not `" + *entry.expected_body + "`");
    for (auto const& text : entry.asserts)
        TRY(check_assert(text, answer));
    return {};
}

} // namespace writ::conformance
