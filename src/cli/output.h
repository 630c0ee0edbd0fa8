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

class Table {
public:
    explicit Table(std::vector<std::string> titles)
        : titles_(std::move(titles))
    {
    }
    void add(std::vector<std::string> row);
    // Columns as wide as they need to be; `otherwise` if there is no row.
    void print(std::string_view otherwise) const;
    // As RFC 4180 has it, with a head; cells that a spreadsheet would take for formulas are made texts.
    void print_csv() const;
    // For rows that come one after another: the titles, and later rows, two spaces between cells.
    void print_titles(bool is_csv) const;
    void print_rows(bool is_csv) const;

private:
    std::vector<std::string> titles_;
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
// `2026-11-24 02:00:00`, of RFC 3339 in UTC.
std::string short_time(std::string_view rfc3339);

} // namespace writ::cli
