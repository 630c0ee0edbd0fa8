// SPDX-License-Identifier: Apache-2.0
//
// What people and scripts read: tables, JSON, errors. Colours only on a terminal and without NO_COLOR.
#pragma once

#include "base/json.h"
#include "cli/session.h"

#include <string>
#include <vector>

namespace writ::cli {

enum class Colour { plain, bold, red, green, dim };
// For standard output; plain text if that is no terminal.
std::string paint(Colour, std::string_view text);

// What becomes of a column where a table is for people.
enum class Fit : std::uint8_t {
    always, // as it is
    filled, // left out if it is empty in all rows
    cut,    // likewise; and cut where the terminal is too narrow
    wide,   // left out, last first, where the terminal is too narrow; --wide has it
};
struct Column {
    Column(char const* name, Fit how = Fit::always) // NOLINT: a title alone is a column
        : title(name)
        , fit(how)
    {
    }
    std::string title;
    Fit fit;
};

class Table {
public:
    explicit Table(std::vector<Column> columns)
        : columns_(std::move(columns))
    {
    }
    void add(std::vector<std::string> row);
    // Columns as wide as they need to be, and as the terminal has room; `otherwise` if there is no row.
    void print(std::string_view otherwise, bool is_wide = false) const;
    // The same as lines of at most `width` characters, as far as what can be cut allows; 0: all of it.
    [[nodiscard]] std::vector<std::string> lines(std::size_t width) const;
    // As RFC 4180 has it, with a head; cells that a spreadsheet would take for formulas are made texts.
    void print_csv() const;
    // For rows that come one after another: the titles, and later rows, two spaces between cells.
    void print_titles(bool is_csv) const;
    void print_rows(bool is_csv) const;

private:
    struct Place {
        std::size_t column, width;
    };
    [[nodiscard]] std::vector<Place> places() const;
    void leave_out(std::vector<Place>&, std::size_t width) const;
    void cut(std::vector<Place>&, std::size_t width) const;
    [[nodiscard]] std::vector<std::string> titles() const;

    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

void print_line(std::string_view text);
void print_json(JsonValue const&);
// `writ: message` on standard error; the exit code that goes with it.
int fail(Error const&);

// The same of an answer of status 400 and above; what it says of single places is printed before it, one line each.
int fail(net::Response const&);

// At most so many characters, with `…` for what was cut.
std::string shortened(std::string_view text, std::size_t characters_max);

// A JSON value as a cell: text as it is, lists with commas, absent as empty. Control characters are made visible: names come from outside.
std::string cell(JsonValue const&);
std::string cell(JsonObject const&, std::string_view name);
std::string printable(std::string_view text);
// `2026-11-24 02:00:00`, of RFC 3339 in UTC; and without its seconds.
std::string short_time(std::string_view rfc3339);
std::string minute_of(std::string_view rfc3339);
// That credentials may live on which an answer does not name, if it says so under this member.
void print_unknown_before(JsonObject const& answer, std::string_view member);
// Of a SPIFFE ID the path, which is what tells those of one trust domain apart.
std::string short_id(std::string const& id);

} // namespace writ::cli
