// SPDX-License-Identifier: Apache-2.0
//
// What the commands share that ask the audit log: of a running authority, or of a log's files.
#pragma once

#include "cli/commands.h"
#include "cli/output.h"

namespace writ::cli {

struct QuestionOptions {
    std::string data; // not empty: no authority is asked
    bool csv = false;
    std::uint64_t limit = 50;
    std::string before, since, until;
    bool attested = false, wide = false;
};
// --data, --csv and --json.
void add_source_options(CLI::App&, Session&, QuestionOptions&);
// -n, --before, --since, --until, --wide and --attested.
void add_page_options(CLI::App&, QuestionOptions&);

void add_attested_option(CLI::App&, QuestionOptions&, std::string const& help);

// Adds what has a text.
void add_parameters(net::Parameters&, std::initializer_list<std::pair<std::string_view, std::string>>);
net::Parameters page_parameters(QuestionOptions const&);

// The answer to `who-used`, `records`… as audit/answers.h has it.
Result<JsonObject> ask_audit(Session const&, QuestionOptions const&, std::string const& question, net::Parameters);

// A table for people, or comma-separated values.
void print_rows(Table const&, QuestionOptions const&, std::string_view otherwise);
// That the answer is none about what retention has dropped, if it has.
void print_dropped(JsonObject const& answer);
void print_dropped(std::uint64_t before);
// `workload, model by retail/gateway`: what nobody but the caller says, of a use or a record; empty if nothing is.
std::string asserted_in(JsonObject const&, bool is_wide);
// ` (asserted by retail/gateway)` of an edge that is.
std::string asserted_by(JsonObject const& edge);
// How to see what comes after this page, if anything does; and print_dropped().
void print_next(JsonObject const& page, QuestionOptions const&);

} // namespace writ::cli
