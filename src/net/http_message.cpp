// SPDX-License-Identifier: Apache-2.0
#include "net/http_message.h"

#include "net/utf8.h"

#include <algorithm>

namespace writ::net {

namespace {

// LIMIT: parameters of one query or form; no endpoint knows more than twenty.
constexpr std::size_t parameters_max = 256;

char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_same_name(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char left, char right) { return to_lower(left) == to_lower(right); });
}

auto has_name(std::string_view name)
{
    return [name](Headers::Field const& field) { return is_same_name(field.first, name); };
}

bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }
bool is_control_in_value(char c) { return is_control(c) && c != '\t' && c != '\n' && c != '\r'; }

Result<std::string> decode_form_text(std::string_view text)
{
    std::string spaced(text);
    std::ranges::replace(spaced, '+', ' ');
    auto decoded = TRY(percent_decode(spaced));
    if (!is_utf8(decoded))
        return invalid_argument("a parameter is not UTF-8");
    return decoded;
}

Result<Parameters::Parameter> parse_parameter(std::string_view text)
{
    auto const equals = std::min(text.find('='), text.size());
    auto name = TRY(decode_form_text(text.substr(0, equals)));
    auto value = TRY(decode_form_text(text.substr(std::min(equals + 1, text.size()))));
    if (name.empty())
        return invalid_argument("a parameter has no name");
    if (std::ranges::any_of(name, is_control) || std::ranges::any_of(value, is_control_in_value))
        return invalid_argument("a parameter has a control character");
    return Parameters::Parameter(std::move(name), std::move(value));
}

void append_percent_encoded(std::string& out, char c)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    auto const byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
}

void append_form_encoded(std::string& out, std::string_view text)
{
    for (auto const c : text) {
        if (c == ' ')
            out += '+';
        else if (is_unreserved(c))
            out += c;
        else
            append_percent_encoded(out, c);
    }
}

} // namespace

std::optional<std::string_view> Headers::get(std::string_view name) const
{
    auto const found = std::ranges::find_if(fields_, has_name(name));
    return found == fields_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::size_t Headers::count(std::string_view name) const { return static_cast<std::size_t>(std::ranges::count_if(fields_, has_name(name))); }

void Headers::set(std::string_view name, std::string value)
{
    remove(name);
    add(name, std::move(value));
}

void Headers::add(std::string_view name, std::string value) { fields_.emplace_back(std::string(name), std::move(value)); }
void Headers::remove(std::string_view name) { std::erase_if(fields_, has_name(name)); }

std::optional<std::string_view> Parameters::get(std::string_view name) const
{
    for (auto const& [key, value] : parameters_)
        if (key == name)
            return value;
    return std::nullopt;
}

std::vector<std::string_view> Parameters::all(std::string_view name) const
{
    std::vector<std::string_view> values;
    for (auto const& [key, value] : parameters_)
        if (key == name)
            values.emplace_back(value);
    return values;
}

bool Parameters::has_repeated_name() const
{
    std::vector<std::string_view> names;
    names.reserve(parameters_.size());
    for (auto const& [key, value] : parameters_)
        names.emplace_back(key);
    std::ranges::sort(names);
    return std::ranges::adjacent_find(names) != names.end();
}

Result<Parameters> parse_form(std::string_view text)
{
    Parameters parameters;
    while (!text.empty()) {
        if (parameters.size() == parameters_max)
            return invalid_argument("more than " + std::to_string(parameters_max) + " parameters");
        auto const end = std::min(text.find('&'), text.size());
        auto [name, value] = TRY(parse_parameter(text.substr(0, end)));
        parameters.add(std::move(name), std::move(value));
        if (end + 1 == text.size())
            return invalid_argument("a parameter has no name");
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parameters;
}

std::string to_form(Parameters const& parameters)
{
    std::string text;
    for (auto const& [name, value] : parameters) {
        if (!text.empty())
            text += '&';
        append_form_encoded(text, name);
        text += '=';
        append_form_encoded(text, value);
    }
    return text;
}

std::string percent_encode(std::string_view text)
{
    std::string encoded;
    for (auto const c : text) {
        if (is_unreserved(c))
            encoded += c;
        else
            append_percent_encoded(encoded, c);
    }
    return encoded;
}

Result<std::string> percent_decode(std::string_view text)
{
    std::string decoded;
    decoded.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            decoded += text[i];
            continue;
        }
        auto const high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        auto const low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            return invalid_argument("`%` without two hex digits");
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return decoded;
}

std::string_view reason_phrase(int status)
{
    switch (status) {
    case 100: return "Continue";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
    }
}

} // namespace writ::net
