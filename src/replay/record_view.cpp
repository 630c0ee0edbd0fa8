// SPDX-License-Identifier: Apache-2.0
#include "replay/record_view.h"

#include "audit/record.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace writ::replay {

namespace {

// LIMIT: nesting; a record is flat but for its context.
constexpr int depth_max = 64;

// Behind the string that begins at `text`'s first character; npos: it does not end.
std::size_t end_of_string(std::string_view text)
{
    for (std::size_t at = 1; at < text.size();) {
        auto const* const quote = static_cast<char const*>(std::memchr(text.data() + at, '"', text.size() - at));
        if (quote == nullptr)
            return std::string_view::npos;
        auto const found = static_cast<std::size_t>(quote - text.data());
        std::size_t backslashes = 0;
        while (backslashes < found - at && text[found - 1 - backslashes] == '\\')
            ++backslashes;
        if (backslashes % 2 == 0)
            return found + 1;
        at = found + 1;
    }
    return std::string_view::npos;
}

// Behind an object or a list.
std::size_t end_of_brackets(std::string_view text)
{
    std::array<char, depth_max> closing {};
    std::size_t depth = 0;
    for (std::size_t at = 0; at < text.size();) {
        switch (auto const character = text[at]; character) {
        case '"': {
            auto const length = end_of_string(text.substr(at));
            if (length == std::string_view::npos)
                return length;
            at += length;
            continue;
        }
        case '{':
        case '[':
            if (depth == closing.size())
                return std::string_view::npos;
            closing[depth++] = character == '{' ? '}' : ']';
            break;
        case '}':
        case ']':
            if (closing[--depth] != character)
                return std::string_view::npos;
            if (depth == 0)
                return at + 1;
            break;
        default: break;
        }
        ++at;
    }
    return std::string_view::npos;
}

std::size_t end_of_scalar(std::string_view text)
{
    auto const end = text.find_first_of(",}]\" \t\r\n[{");
    return end == 0 ? std::string_view::npos : std::min(end, text.size());
}

std::size_t end_of_value(std::string_view text)
{
    if (text.empty())
        return std::string_view::npos;
    if (text.front() == '"')
        return end_of_string(text);
    return text.front() == '{' || text.front() == '[' ? end_of_brackets(text) : end_of_scalar(text);
}

// Takes a value and the comma behind it. What ends the whole (`}` or `]`) stays.
bool take_value(std::string_view& rest, std::string_view& value, char closing)
{
    auto const end = end_of_value(rest);
    if (end == std::string_view::npos || end >= rest.size())
        return false;
    value = rest.substr(0, end);
    rest.remove_prefix(end);
    if (rest.front() == closing)
        return true;
    if (rest.front() != ',' || rest.size() < 2 || rest[1] == closing)
        return false;
    rest.remove_prefix(1);
    return true;
}

using Place = std::string_view RecordView::*;
struct NamedPlace {
    std::string_view name;
    Place place;
};
// By their names' lengths, so that most members of a record are compared with few.
constexpr std::array<NamedPlace, 21> places { {
    { "v", &RecordView::v },
    { "run", &RecordView::run },
    { "type", &RecordView::type },
    { "time", &RecordView::time },
    { "team", &RecordView::team },
    { "items", &RecordView::items },
    { "action", &RecordView::action },
    { "claims", &RecordView::claims },
    { "purpose", &RecordView::purpose },
    { "context", &RecordView::context },
    { "workload", &RecordView::workload },
    { "pipeline", &RecordView::pipeline },
    { "resource", &RecordView::resource },
    { "decision", &RecordView::decision },
    { "policies", &RecordView::policies },
    { "redacted", &RecordView::redacted },
    { "claims_cut", &RecordView::claims_cut },
    { "context_cut", &RecordView::context_cut },
    { "workload_type", &RecordView::workload_type },
    { "workload_name", &RecordView::workload_name },
    { "policy_version", &RecordView::policy_version },
} };
static_assert(std::ranges::is_sorted(places, {}, [](NamedPlace const& place) { return place.name.size(); }));

constexpr std::size_t name_bytes_max = places.back().name.size();
// Of each length, the first place.
constexpr auto first_places = [] {
    std::array<std::size_t, name_bytes_max + 2> first {};
    for (std::size_t size = 0; size < first.size(); ++size)
        while (first[size] < places.size() && places[first[size]].name.size() < size)
            ++first[size];
    return first;
}();

bool place_member(RecordView& view, MemberView const& member)
{
    auto const size = member.name.size();
    if (size <= name_bytes_max)
        for (auto i = first_places[size]; i < first_places[size + 1]; ++i)
            if (places[i].name == member.name)
                return std::exchange(view.*places[i].place, member.value).empty();
    return member.name.find('\\') == std::string_view::npos; // it may be any of them, written otherwise
}

void add_part(std::string& key, std::string_view part)
{
    key += part;
    key += '\n'; // stands in no member: JSON escapes it
}

void add_claims(std::string& key, std::string_view claims, AskedFor const& asked)
{
    if (claims.empty())
        return;
    auto rest = claims.substr(1);
    for (std::string_view claim; next_element(rest, claim);) {
        MemberView first;
        auto members = claim.substr(1);
        bool const is_known = !claim.empty() && claim.front() == '{' && next_member(members, first) && first.name == "name";
        auto const name = is_known ? plain_text(first.value) : std::nullopt;
        if (!name || asked.has_tag(*name))
            add_part(key, claim);
    }
}

void add_context(std::string& key, std::string_view context, AskedFor const& asked)
{
    if (context.empty())
        return;
    auto rest = context.substr(1);
    for (MemberView member; next_member(rest, member);) {
        if (member.name.find('\\') != std::string_view::npos || asked.has_context(member.name)) {
            add_part(key, member.name);
            add_part(key, member.value);
        }
    }
}

} // namespace

bool next_member(std::string_view& rest, MemberView& member)
{
    if (rest.empty() || rest.front() != '"')
        return false;
    auto const end = end_of_string(rest);
    if (end == std::string_view::npos || end >= rest.size() || rest[end] != ':')
        return false;
    member.name = rest.substr(1, end - 2);
    rest.remove_prefix(end + 1);
    return take_value(rest, member.value, '}');
}

bool next_element(std::string_view& rest, std::string_view& value)
{
    return !rest.empty() && rest.front() != ']' && take_value(rest, value, ']');
}

std::optional<std::string_view> plain_text(std::string_view value)
{
    if (value.size() < 2 || value.front() != '"' || value.find('\\') != std::string_view::npos)
        return std::nullopt;
    return value.substr(1, value.size() - 2);
}

std::optional<RecordView> view_record(std::string_view text)
{
    if (text.size() < 2 || text.front() != '{')
        return std::nullopt;
    RecordView view;
    auto rest = text.substr(1);
    for (MemberView member; rest != "}";)
        if (!next_member(rest, member) || !place_member(view, member))
            return std::nullopt;
    static auto const version = std::to_string(audit::record_version);
    return view.v.empty() || view.v == version ? std::optional(view) : std::nullopt;
}

void write_principal_key(std::string& key, RecordView const& view, AskedFor const& asked)
{
    key.clear();
    for (auto const part : { view.workload, view.workload_type, view.workload_name, view.pipeline, view.team })
        add_part(key, part);
    if (asked.has_any_tag())
        add_claims(key, view.claims, asked);
}

void write_rest_key(std::string& key, RecordView const& view, AskedFor const& asked)
{
    key.clear();
    for (auto const part : { view.redacted, view.context_cut, view.claims_cut })
        add_part(key, part);
    if (asked.has_context("run"))
        add_part(key, view.run);
    add_context(key, view.context, asked);
}

void write_key(std::string& key, RecordView const& view, AskedFor const& asked)
{
    std::string rest;
    write_rest_key(rest, view, asked);
    write_principal_key(key, view, asked);
    for (auto const part : { view.decision, view.policies, view.action, view.resource, view.purpose })
        add_part(key, part);
    key += rest;
}

} // namespace writ::replay
