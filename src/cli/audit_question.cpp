// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_question.h"

#include "audit/answers.h"
#include "audit/offline_log.h"
#include "cli/number_option.h"

#include <cstdio>
#include <unistd.h>

namespace writ::cli {

namespace {

audit::Progress progress_on_terminal()
{
    if (::isatty(STDERR_FILENO) != 1)
        return nullptr;
    return [](std::uint64_t done, std::uint64_t total) {
        std::fprintf(stderr, "\rreading: %llu of %llu records\033[K", static_cast<unsigned long long>(done), static_cast<unsigned long long>(total));
        if (done >= total)
            std::fprintf(stderr, "\r\033[K");
    };
}

Result<JsonObject> ask_files(Path const& data_folder, std::string const& question, net::Parameters const& parameters)
{
    SystemClock const clock;
    auto const progress = progress_on_terminal();
    auto opened = audit::OfflineLog::open(data_folder, clock, progress);
    if (opened.is_error() && opened.error().code == ErrorCode::not_found)
        return not_found("no log at `" + (data_folder / "log").string() + "`; --data names the authority's data folder, or a copy of it");
    auto const log = TRY(std::move(opened));
    if (progress)
        progress(log->records().size(), log->records().size());
    auto const parameter = [&parameters](std::string_view name) -> std::optional<std::string> {
        auto const value = parameters.get(name);
        return value ? std::optional(std::string(*value)) : std::nullopt;
    };
    return audit::answer(log->questions(), question, parameter, clock.now());
}

} // namespace

void add_source_options(CLI::App& command, Session& session, QuestionOptions& options)
{
    auto* const data = command.add_option("--data", options.data, "Ask the files of this data folder, or a copy of it, and no authority");
    data->type_name("DIR");
    auto* const csv = command.add_flag("--csv", options.csv, "Comma-separated values (RFC 4180)");
    add_json_flag(command, session);
    csv->excludes("--json");
}

void add_page_options(CLI::App& command, QuestionOptions& options)
{
    command.add_option("-n,--limit", options.limit, "At most so many")->capture_default_str()->check(number_from(1, 1000));
    command.add_option("--before", options.before, "The page before this record's number, as the last page named it")->check(number_from(0));
    command.add_option("--since", options.since, "RFC 3339, or 90s, 10m, 2h, 7d, 4w ago");
    command.add_option("--until", options.until, "Likewise");
    command.add_flag("--wide", options.wide, "All columns, and nothing cut");
    add_attested_option(command, options, "Without what nobody but whoever asked says");
}

void add_attested_option(CLI::App& command, QuestionOptions& options, std::string const& help)
{
    command.add_flag("--attested", options.attested, help);
}

void add_parameters(net::Parameters& parameters, std::initializer_list<std::pair<std::string_view, std::string>> named)
{
    for (auto const& [name, value] : named) {
        if (!value.empty())
            parameters.add(std::string(name), value);
    }
}

net::Parameters page_parameters(QuestionOptions const& options)
{
    net::Parameters parameters { { "limit", std::to_string(options.limit) } };
    add_parameters(parameters, { { "before", options.before }, { "since", options.since }, { "until", options.until }, { "attested", options.attested ? "true" : "" } });
    return parameters;
}

Result<JsonObject> ask_audit(Session const& session, QuestionOptions const& options, std::string const& question, net::Parameters parameters)
{
    if (!options.data.empty())
        return ask_files(options.data, question, parameters);
    return object_of(call_authority(session, get_request("/v1/audit/" + question, std::move(parameters))));
}

void print_rows(Table const& table, QuestionOptions const& options, std::string_view otherwise)
{
    if (options.csv)
        table.print_csv();
    else
        table.print(otherwise, options.wide);
}

std::string asserted_in(JsonObject const& use, bool is_wide)
{
    auto const members = cell(use, "asserted"), caller = cell(use, "caller");
    return members.empty() ? "" : members + " by " + (is_wide ? caller : short_id(caller));
}

std::string asserted_by(JsonObject const& edge)
{
    auto const caller = cell(edge, "caller");
    return edge.at("attested").as_bool() ? "" : " (asserted by " + (caller.empty() ? "somebody" : short_id(caller)) + ")";
}

void print_dropped(JsonObject const& answer)
{
    auto const before = cell(answer, "dropped_before");
    if (before.empty())
        return;
    auto const uses = cell(answer, "dropped_uses");
    print_line(paint(Colour::bold, "not provable any more") + ": retention has dropped the records before " + before
        + (uses.empty() ? "" : "; " + uses + " uses are known from them alone, and are not told"));
}

void print_dropped(std::uint64_t before)
{
    if (before > 0)
        print_dropped(JsonObject { { "dropped_before", before } });
}

void print_next(JsonObject const& page, QuestionOptions const& options)
{
    if (options.csv)
        return;
    print_dropped(page);
    if (auto const next = cell(page, "next"); !next.empty())
        print_line(paint(Colour::dim, "more: --before " + next));
    if (auto const* const cut = page.if_contains("cut"); cut != nullptr && cut->is_bool() && cut->as_bool())
        print_line(paint(Colour::dim, "there is more than is told here: the oldest is left out"));
}

} // namespace writ::cli
