// SPDX-License-Identifier: Apache-2.0
#include "replay/text_edits.h"

#include <algorithm>

namespace writ::replay {

namespace {

std::size_t line_begin(std::string_view text, std::size_t at)
{
    auto const before = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
    return before == std::string_view::npos ? 0 : before + 1;
}

std::size_t line_end(std::string_view text, std::size_t at)
{
    auto const end = text.find('\n', at);
    return end == std::string_view::npos ? text.size() : end + 1;
}

// Whole lines that change together.
struct Hunk {
    std::size_t begin = 0, end = 0;
    std::vector<TextEdit> edits; // places within the lines
};

std::vector<Hunk> hunks_of(std::string_view text, std::vector<TextEdit> const& edits)
{
    std::vector<Hunk> hunks;
    for (auto const& edit : edits) {
        auto const begin = line_begin(text, edit.begin);
        if (hunks.empty() || begin >= hunks.back().end)
            hunks.push_back({ begin, begin, {} });
        auto& hunk = hunks.back();
        hunk.end = std::max(hunk.end, line_end(text, std::max(edit.begin, edit.end > 0 ? edit.end - 1 : 0)));
        hunk.edits.push_back({ edit.begin - hunk.begin, edit.end - hunk.begin, edit.text });
    }
    return hunks;
}

std::size_t add_lines(std::string& out, char sign, std::string_view lines)
{
    std::size_t count = 0;
    while (!lines.empty()) {
        auto const end = line_end(lines, 0);
        out += sign;
        out += lines.substr(0, end);
        if (lines[end - 1] != '\n')
            out += "\n\\ No newline at end of file\n";
        lines.remove_prefix(end);
        ++count;
    }
    return count;
}

// Takes the lines off that two texts begin with alike, and those that they end with alike; returns the number of the first ones.
std::size_t trim_common(std::string_view& before, std::string_view& after)
{
    std::size_t count = 0;
    for (; !before.empty() && !after.empty(); ++count) {
        auto const end = line_end(before, 0);
        if (before.substr(0, end) != after.substr(0, line_end(after, 0)))
            break;
        before.remove_prefix(end);
        after.remove_prefix(end);
    }
    while (!before.empty() && !after.empty()) {
        auto const begin = line_begin(before, before.size() - 1);
        if (before.substr(begin) != after.substr(line_begin(after, after.size() - 1)))
            break;
        after.remove_suffix(before.size() - begin);
        before.remove_suffix(before.size() - begin);
    }
    return count;
}

// Of none, the line before stands for where they would be.
std::string range(char sign, std::size_t first, std::size_t count)
{
    return std::string(1, sign) + std::to_string(count == 0 ? first - 1 : first) + (count == 1 ? "" : "," + std::to_string(count));
}

} // namespace

std::string edited(std::string_view text, std::vector<TextEdit> const& edits)
{
    std::string result;
    std::size_t at = 0;
    for (auto const& edit : edits) {
        result.append(text.substr(at, edit.begin - at)).append(edit.text);
        at = edit.end;
    }
    return result.append(text.substr(at));
}

std::string unified_difference(std::string_view path, std::string_view text, std::vector<TextEdit> const& edits)
{
    std::string difference;
    std::ptrdiff_t shift = 0; // lines that the new text is ahead
    for (auto const& hunk : hunks_of(text, edits)) {
        auto before = text.substr(hunk.begin, hunk.end - hunk.begin);
        auto const changed = edited(before, hunk.edits);
        std::string_view after = changed;
        auto const first = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(hunk.begin), '\n')
            + static_cast<std::ptrdiff_t>(trim_common(before, after));
        std::string removed, added;
        auto const old_lines = add_lines(removed, '-', before);
        auto const new_lines = add_lines(added, '+', after);
        difference += "@@ " + range('-', static_cast<std::size_t>(first), old_lines) + " "
            + range('+', static_cast<std::size_t>(first + shift), new_lines) + " @@\n" + removed + added;
        shift += static_cast<std::ptrdiff_t>(new_lines) - static_cast<std::ptrdiff_t>(old_lines);
    }
    if (difference.empty())
        return difference;
    return "--- " + std::string(path) + "\n+++ " + std::string(path) + "\n" + difference;
}

} // namespace writ::replay
