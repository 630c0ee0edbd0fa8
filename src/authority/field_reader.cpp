// SPDX-License-Identifier: Apache-2.0
#include "authority/field_reader.h"

#include <algorithm>
#include <charconv>
#include <numeric>

namespace writ::authority {

namespace {

template <typename T> bool parse_number(std::string_view text, T& number)
{
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

// Levenshtein distance; the names compared are short.
std::size_t edits_between(std::string_view left, std::string_view right)
{
    std::vector<std::size_t> row(right.size() + 1);
    std::iota(row.begin(), row.end(), 0U);
    for (std::size_t i = 1; i <= left.size(); ++i) {
        auto diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= right.size(); ++j) {
            auto const replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({ replaced, row[j] + 1, row[j - 1] + 1 });
        }
    }
    return row.back();
}

} // namespace

Result<Duration> parse_duration(std::string_view text)
{
    std::int64_t count = 0;
    if (text.size() >= 2 && parse_number(text.substr(0, text.size() - 1), count) && count > 0 && count <= 366LL * 86'400) {
        std::chrono::seconds length {};
        switch (text.back()) {
        case 's': length = std::chrono::seconds(count); break;
        case 'm': length = std::chrono::minutes(count); break;
        case 'h': length = std::chrono::hours(count); break;
        case 'd': length = std::chrono::days(count); break;
        default: break;
        }
        if (length.count() > 0 && length <= std::chrono::days(366))
            return Duration(length);
    }
    return invalid_argument(
        "`" + std::string(text.substr(0, 40)) + "` is not a length of time such as `90s`, `10m`, `2h` or `1d`, at most `366d`");
}

std::string_view nearest_name(std::string_view name, std::set<std::string, std::less<>> const& candidates)
{
    std::string_view nearest;
    std::size_t edits_least = 3;
    if (name.size() > 60)
        return nearest;
    for (auto const& candidate : candidates) {
        auto const edits = edits_between(name, candidate);
        if (edits < edits_least && edits < candidate.size()) {
            edits_least = edits;
            nearest = candidate;
        }
    }
    return nearest;
}

YamlNode const* FieldReader::take(std::string_view name)
{
    known_.emplace(name);
    auto const* found = map_.find(name);
    return found != nullptr && found->kind != YamlNode::Kind::null ? found : nullptr;
}

YamlNode const* FieldReader::node(std::string_view name) { return take(name); }

void FieldReader::problem(Position position, std::string message) { problems_.push_back({ std::move(position), std::move(message) }); }

std::string FieldReader::text(std::string_view name)
{
    auto value = text_or(name, "");
    if (value.empty() && (map_.find(name) == nullptr || map_.find(name)->kind != YamlNode::Kind::sequence))
        problem(map_.position, "field `" + std::string(name) + "` is missing");
    return value;
}

std::string FieldReader::text_or(std::string_view name, std::string_view otherwise)
{
    auto const* found = take(name);
    if (found == nullptr)
        return std::string(otherwise);
    if (found->kind == YamlNode::Kind::scalar)
        return found->scalar;
    problem(found->position, "field `" + std::string(name) + "` must be text");
    return std::string(otherwise);
}

std::string FieldReader::one_of(std::string_view name, std::initializer_list<std::string_view> allowed)
{
    auto value = text(name);
    if (value.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end())
        return value;
    std::string list;
    for (auto const candidate : allowed)
        list += (list.empty() ? "`" : ", `") + std::string(candidate) + "`";
    problem(map_.find(name)->position, "field `" + std::string(name) + "` is `" + value.substr(0, 60) + "`; known: " + list);
    return value;
}

std::vector<std::string> FieldReader::texts(std::string_view name)
{
    auto const* found = take(name);
    if (found == nullptr)
        return {};
    if (found->kind == YamlNode::Kind::scalar)
        return { found->scalar };
    std::vector<std::string> values;
    for (auto const& element : found->elements) {
        if (element.kind == YamlNode::Kind::scalar)
            values.push_back(element.scalar);
        else
            problem(element.position, "an element of `" + std::string(name) + "` must be text");
    }
    if (found->kind == YamlNode::Kind::map)
        problem(found->position, "field `" + std::string(name) + "` must be a list of texts");
    return values;
}

std::map<std::string, std::string> FieldReader::text_map(std::string_view name)
{
    std::map<std::string, std::string> values;
    auto const* found = take(name);
    if (found == nullptr)
        return values;
    if (found->kind != YamlNode::Kind::map)
        problem(found->position, "field `" + std::string(name) + "` must have named values");
    for (auto const& [key, value] : found->members) {
        if (value.kind == YamlNode::Kind::scalar)
            values.emplace(key, value.scalar);
        else
            problem(value.position, "`" + key + "` in `" + std::string(name) + "` must be text");
    }
    return values;
}

bool FieldReader::flag_or(std::string_view name, bool otherwise)
{
    auto const* found = take(name);
    if (found == nullptr)
        return otherwise;
    if (found->scalar != "true" && found->scalar != "false")
        problem(found->position, "field `" + std::string(name) + "` must be true or false");
    return found->scalar == "true";
}

std::uint16_t FieldReader::port_or(std::string_view name, std::uint16_t otherwise)
{
    auto const* found = take(name);
    if (found == nullptr)
        return otherwise;
    std::uint16_t port = 0;
    if (!parse_number(found->scalar, port) || port == 0)
        problem(found->position, "field `" + std::string(name) + "` must be a port number from 1 to 65535");
    return port;
}

Duration FieldReader::duration_or(std::string_view name, Duration otherwise)
{
    auto const* found = take(name);
    if (found == nullptr)
        return otherwise;
    auto const parsed = parse_duration(found->scalar);
    if (parsed.is_ok())
        return *parsed;
    problem(found->position, "field `" + std::string(name) + "`: " + parsed.error().message);
    return otherwise;
}

void FieldReader::finish()
{
    for (auto const& [name, value] : map_.members) {
        if (known_.contains(name))
            continue;
        auto message = "unknown field `" + name.substr(0, 60) + "`";
        if (auto const nearest = nearest_name(name, known_); !nearest.empty())
            message += "; did you mean `" + std::string(nearest) + "`?";
        problem(value.position, std::move(message));
    }
}

} // namespace writ::authority
