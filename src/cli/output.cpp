// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

namespace writ::cli {

namespace {

bool has_colour(int fd)
{
    auto const* no_colour = std::getenv("NO_COLOR");
    return ::isatty(fd) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

std::string_view code_of(Colour colour)
{
    switch (colour) {
    case Colour::plain: return "";
    case Colour::bold: return "\033[1m";
    case Colour::red: return "\033[31m";
    case Colour::green: return "\033[32m";
    case Colour::dim: return "\033[2m";
    }
    return "";
}

// Characters, not bytes: continuation bytes of UTF-8 take no place.
std::size_t width_of(std::string_view text)
{
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U; }));
}

// Of the terminal; 0: it is none, and all is told.
std::size_t terminal_width()
{
    winsize size { };
    return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

// A column that is cut still tells something.
constexpr std::size_t column_width_min = 8;
constexpr std::size_t gap = 2;

// SECURITY: names come from outside, and a spreadsheet runs what begins like a formula.
std::string csv_line(std::vector<std::string> const& row)
{
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
        std::string text = row[column];
        if (!text.empty() && std::string_view("=+-@").find(text.front()) != std::string_view::npos)
            text.insert(text.begin(), '\'');
        line += column == 0 ? "" : ",";
        if (text.find_first_of(",\"\n\r") == std::string::npos) {
            line += text;
            continue;
        }
        line += '"';
        for (char const c : text)
            line += c == '"' ? std::string("\"\"") : std::string(1, c);
        line += '"';
    }
    return line + "\r";
}

} // namespace

std::string paint(Colour colour, std::string_view text)
{
    static bool const colours = has_colour(STDOUT_FILENO);
    auto const code = code_of(colour);
    if (!colours || code.empty())
        return std::string(text);
    return std::string(code).append(text).append("\033[0m");
}

void Table::add(std::vector<std::string> row)
{
    row.resize(columns_.size());
    rows_.push_back(std::move(row));
}

std::vector<std::string> Table::titles() const
{
    std::vector<std::string> titles;
    for (auto const& column : columns_)
        titles.push_back(column.title);
    return titles;
}

void Table::print_titles(bool is_csv) const
{
    std::string line;
    for (auto const& column : columns_)
        line += (line.empty() ? "" : "  ") + column.title;
    print_line(is_csv ? csv_line(titles()) : paint(Colour::dim, line));
}

void Table::print_rows(bool is_csv) const
{
    for (auto const& row : rows_) {
        std::string line;
        for (auto const& text : row)
            line += (line.empty() ? "" : "  ") + text;
        print_line(is_csv ? csv_line(row) : line);
    }
}

void Table::print_csv() const
{
    print_titles(true);
    print_rows(true);
}

// Columns that tell something, as wide as what they tell.
std::vector<Table::Place> Table::places() const
{
    std::vector<Place> places;
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        std::size_t widest = 0;
        for (auto const& row : rows_)
            widest = std::max(widest, width_of(row[column]));
        if (widest > 0 || columns_[column].fit == Fit::always)
            places.push_back({ column, std::max(widest, width_of(columns_[column].title)) });
    }
    return places;
}

namespace {

template <typename Places> std::size_t total_width(Places const& places)
{
    std::size_t total = 0;
    for (auto const& place : places)
        total += place.width + (total == 0 ? 0 : gap);
    return total;
}

} // namespace

void Table::leave_out(std::vector<Place>& places, std::size_t width) const
{
    for (auto i = places.size(); i-- > 0 && total_width(places) > width;) {
        if (columns_[places[i].column].fit == Fit::wide)
            places.erase(places.begin() + static_cast<std::ptrdiff_t>(i));
    }
}

// The widest of those that can be cut, one character after another.
void Table::cut(std::vector<Place>& places, std::size_t width) const
{
    for (auto total = total_width(places); total > width; --total) {
        Place* widest = nullptr;
        for (auto& place : places) {
            auto const& column = columns_[place.column];
            bool const can_be = column.fit == Fit::cut && place.width > std::max(column_width_min, width_of(column.title));
            if (can_be && (widest == nullptr || place.width > widest->width))
                widest = &place;
        }
        if (widest == nullptr)
            return;
        --widest->width;
    }
}

std::vector<std::string> Table::lines(std::size_t width) const
{
    auto places = this->places();
    if (width != 0) {
        leave_out(places, width);
        cut(places, width);
    }
    auto const line_of = [&places](std::vector<std::string> const& row) {
        std::string line;
        for (auto const& place : places) {
            auto const text = shortened(row[place.column], place.width);
            line.append(text).append(place.width - width_of(text) + gap, ' ');
        }
        while (!line.empty() && line.back() == ' ')
            line.pop_back();
        return line;
    };
    std::vector<std::string> lines { line_of(titles()) };
    for (auto const& row : rows_)
        lines.push_back(line_of(row));
    return lines;
}

void Table::print(std::string_view otherwise, bool is_wide) const
{
    if (rows_.empty()) {
        print_line(otherwise);
        return;
    }
    auto const told = lines(is_wide ? 0 : terminal_width());
    print_line(paint(Colour::dim, told.front()));
    for (std::size_t i = 1; i < told.size(); ++i)
        print_line(told[i]);
}

void print_line(std::string_view text)
{
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fputc('\n', stdout);
}

void print_json(JsonValue const& value) { print_line(to_text(value)); }

int fail(Error const& error)
{
    bool const colours = has_colour(STDERR_FILENO);
    std::fprintf(stderr, "%swrit:%s %s\n", colours ? "\033[31m" : "", colours ? "\033[0m" : "", printable(error.message).c_str());
    return static_cast<int>(exit_of(error.code));
}

int fail(net::Response const& response)
{
    auto const problem = parse_json_object(response.body);
    auto const errors = problem.is_ok() ? array_member(*problem, "errors") : Result<JsonArray const*>(not_found(""));
    if (errors.is_ok()) {
        for (auto const& item : **errors) {
            auto const& error = item.as_object();
            std::fprintf(stderr, "%s:%s:%s: %s\n", cell(error, "path").c_str(), cell(error, "line").c_str(), cell(error, "column").c_str(),
                cell(error, "message").c_str());
        }
    }
    return fail(to_error(response));
}

std::string shortened(std::string_view text, std::size_t characters_max)
{
    if (width_of(text) <= characters_max)
        return std::string(text);
    std::string cut;
    std::size_t characters = 0;
    for (char const c : text) {
        if ((static_cast<unsigned char>(c) & 0xc0U) != 0x80U && ++characters >= characters_max)
            break;
        cut += c;
    }
    return cut + "…";
}

std::string printable(std::string_view text)
{
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
        char const c = text[i];
        // U+0080 to U+009F are control characters too: U+009B begins an escape sequence.
        bool const is_c1 = c == '\xc2' && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) >= 0x80 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f || is_c1) {
            shown += "\\x" + to_hex(BytesView(reinterpret_cast<std::uint8_t const*>(&c), 1));
        } else {
            shown += c;
        }
    }
    return shown;
}

std::string cell(JsonValue const& value)
{
    if (value.is_string())
        return printable(value.as_string());
    if (value.is_null())
        return "";
    if (value.is_array()) {
        std::string list;
        for (auto const& element : value.as_array())
            list += (list.empty() ? "" : ", ") + cell(element);
        return list;
    }
    if (value.is_object() && value.as_object().contains("type") && value.as_object().contains("id"))
        return cell(value.as_object().at("type")) + " " + cell(value.as_object().at("id"));
    return to_text(value);
}

std::string cell(JsonObject const& object, std::string_view name)
{
    auto const* value = object.if_contains(name);
    return value == nullptr ? "" : cell(*value);
}

std::string short_time(std::string_view rfc3339)
{
    if (rfc3339.size() < 19)
        return printable(rfc3339);
    auto text = printable(rfc3339.substr(0, 19));
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text;
}

std::string minute_of(std::string_view rfc3339)
{
    constexpr std::size_t minute_characters = 16;
    return short_time(rfc3339).substr(0, minute_characters);
}

void print_unknown_before(JsonObject const& answer, std::string_view member)
{
    if (auto const moment = cell(answer, member); !moment.empty())
        print_line("There may be others: of what was issued before " + short_time(moment) + " UTC nothing is said, for there was too much to look at.");
}

std::string short_id(std::string const& id)
{
    constexpr std::string_view scheme = "spiffe://";
    auto const slash = id.starts_with(scheme) ? id.find('/', scheme.size()) : std::string::npos;
    return slash == std::string::npos || slash + 1 == id.size() ? id : id.substr(slash + 1);
}

} // namespace writ::cli
