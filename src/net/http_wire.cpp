// SPDX-License-Identifier: Apache-2.0
#include "net/http_wire.h"

#include "base/secret.h"
#include "net/utf8.h"

#include <algorithm>
#include <array>

namespace writ::net {

namespace {

constexpr std::size_t read_size = 16U << 10U;

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_token_character(char c) { return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos; }
// SPEC: RFC 3986 §3.3, `pchar` and `/`; `%` is checked when it is decoded.
bool is_path_character(char c) { return is_alphanumeric(c) || std::string_view("-._~!$&'()*+,;=:@/%").find(c) != std::string_view::npos; }
bool is_query_character(char c) { return is_path_character(c) || c == '?'; }
bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// SECURITY: what a check sees as one segment must not be two, or another, to whoever looks at the decoded path.
Result<std::string> decode_segment(std::string_view text)
{
    auto segment = TRY(percent_decode(text));
    if (segment == "." || segment == "..")
        return invalid_argument("the path has a `.` or `..` segment");
    if (segment.find('/') != std::string::npos)
        return invalid_argument("the path has an encoded `/`");
    if (!is_utf8(segment) || std::ranges::any_of(segment, is_control))
        return invalid_argument("the path is not text");
    return segment;
}

Result<std::string> decode_path(std::string_view text)
{
    if (!text.starts_with('/') || !std::ranges::all_of(text, is_path_character))
        return invalid_argument("the request target is not a path");
    std::string path;
    while (!text.empty()) {
        text.remove_prefix(1);
        auto const end = std::min(text.find('/'), text.size());
        path += '/';
        path += TRY(decode_segment(text.substr(0, end)));
        text.remove_prefix(end);
    }
    return path;
}

bool is_connection_field(std::string_view name)
{
    constexpr std::array<std::string_view, 6> names { "connection", "content-length", "keep-alive", "trailer", "transfer-encoding",
        "upgrade" };
    std::string lower(name);
    std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    return std::ranges::find(names, lower) != names.end();
}

// `:` and `@` stand for themselves (RFC 3986 §3.3, pchar): Google's APIs do not find `name:verb` otherwise.
void append_segment(std::string& target, std::string_view segment)
{
    for (auto const& c : segment)
        target += c == ':' || c == '@' ? std::string(1, c) : percent_encode({ &c, 1 });
}

} // namespace

void ReadBuffer::consume(std::size_t count)
{
    ASSERT(count <= end_ - begin_);
    wipe(bytes_.data() + begin_, count);
    begin_ += count;
    if (begin_ == end_)
        begin_ = end_ = 0;
}

// What is moved leaves nothing where it was.
void ReadBuffer::make_room()
{
    if (bytes_.size() < end_ - begin_ + read_size) {
        std::string larger(std::max(end_ - begin_ + read_size, 2 * bytes_.size()), '\0');
        std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_), bytes_.begin() + static_cast<std::ptrdiff_t>(end_), larger.begin());
        wipe(bytes_.data() + begin_, end_ - begin_);
        bytes_.swap(larger);
    } else if (begin_ > 0) {
        std::copy(bytes_.begin() + static_cast<std::ptrdiff_t>(begin_), bytes_.begin() + static_cast<std::ptrdiff_t>(end_), bytes_.begin());
        auto const left = std::max(begin_, end_ - begin_); // the first that is not overwritten by now
        wipe(bytes_.data() + left, end_ - left);
    }
    end_ -= std::exchange(begin_, 0);
}

Task<Result<std::size_t>> ReadBuffer::fill(Stream& stream)
{
    make_room();
    auto* const free = reinterpret_cast<std::uint8_t*>(bytes_.data() + end_);
    auto size = co_await stream.read_some({ free, read_size });
    end_ += size.is_ok() ? size.value() : 0;
    co_return size;
}

Result<RequestTarget> parse_request_target(std::string_view text)
{
    auto const question_mark = std::min(text.find('?'), text.size());
    RequestTarget target;
    target.path = TRY(decode_path(text.substr(0, question_mark)));
    auto const query = text.substr(std::min(question_mark + 1, text.size()));
    if (!std::ranges::all_of(query, is_query_character))
        return invalid_argument("the query has a character that must be encoded");
    target.query = TRY(parse_form(query));
    if (target.query.has_repeated_name())
        return invalid_argument("the query repeats a parameter");
    return target;
}

std::string to_request_target(std::string_view path, Parameters const& query)
{
    std::string target;
    while (!path.empty()) {
        auto const end = std::min(path.find('/'), path.size());
        append_segment(target, path.substr(0, end));
        if (end < path.size())
            target += '/';
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    if (!query.is_empty())
        target += "?" + to_form(query);
    return target;
}

Result<std::optional<std::size_t>> find_head(std::string_view text)
{
    for (std::size_t begin = 0; begin < text.size();) {
        auto const end = text.find('\n', begin);
        if (end == std::string_view::npos)
            break;
        auto const line = text.substr(begin, end - begin);
        if (line.find('\r') + 1 != line.size() || line.empty())
            return invalid_argument("a line does not end in CRLF");
        if (line.size() == 1)
            return std::optional(end + 1);
        if (begin > 0 && (line[0] == ' ' || line[0] == '\t'))
            return invalid_argument("a field is continued on another line");
        begin = end + 1;
    }
    return std::optional<std::size_t>();
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_character); }

bool is_field_value(std::string_view text)
{
    return std::ranges::none_of(text, [](char c) { return is_control(c) && c != '\t'; });
}

Result<> check_fields(Headers const& headers)
{
    for (auto const& [name, value] : headers)
        if (!is_token(name) || !is_field_value(value))
            return invalid_argument("the header field `" + percent_encode(name) + "` cannot be sent");
    return {};
}

void append_fields(std::string& out, Headers const& headers)
{
    for (auto const& [name, value] : headers) {
        if (is_connection_field(name))
            continue;
        out += name;
        out += ": ";
        out += value;
        out += "\r\n";
    }
}

} // namespace writ::net
