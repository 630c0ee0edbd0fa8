// SPDX-License-Identifier: Apache-2.0
//
// writ audit export: records from the log's files, in the words of another system, on standard output.
#include "audit/export/event.h"
#include "cli/commands.h"
#include "cli/number_option.h"
#include "cli/output.h"
#include "tlog/folder_reader.h"

#include <algorithm>
#include <cstdio>
#include <memory>

namespace writ::cli {

namespace {

// Read at once: a bundle.
constexpr std::size_t read_records = tlog::tile_width;

struct Options {
    std::string format = "json";
    std::uint64_t since = 0;
    std::string data;
};

// A record's events, or none: the format may have none for it, and an entry of the log may be no record.
void print_events_of(audit::EventFormat format, std::uint64_t sequence, std::string const& origin, Bytes const& entry)
{
    auto exported = audit::exported_record(sequence, origin, to_text(entry));
    if (exported.is_error())
        return;
    for (auto const& one : audit::events_in(std::move(*exported)))
        if (auto const event = audit::to_event(format, one); !event.empty())
            print_line(format == audit::EventFormat::otlp ? audit::otlp_request({ event }) : event);
}

Result<> print_events(tlog::FolderReader const& reader, audit::EventFormat format, std::uint64_t since)
{
    if (since < reader.first_kept())
        std::fprintf(stderr, "writ: records before %llu were dropped by retention\n", static_cast<unsigned long long>(reader.first_kept()));
    for (auto next = std::max(since, reader.first_kept()); next < reader.size();) {
        auto const entries = TRY(reader.read_range(next, read_records));
        for (auto const& entry : entries)
            print_events_of(format, next++, reader.checkpoint().origin, entry);
    }
    return {};
}

int run(Options const& options)
{
    auto const format = audit::parse_event_format(options.format);
    if (format.is_error()) {
        (void)fail(format.error());
        return static_cast<int>(Exit::usage);
    }
    auto const folder = (options.data.empty() ? default_data_folder() : Path(options.data)) / "log";
    auto const reader = tlog::FolderReader::open(folder);
    if (reader.is_error() && reader.error().code == ErrorCode::not_found)
        return fail(not_found("no log at `" + folder.string() + "`; --data names the authority's data folder, or a copy of it"));
    if (reader.is_error())
        return fail(reader.error());
    auto const printed = print_events(*reader, *format, options.since);
    return printed.is_error() ? fail(printed.error()) : 0;
}

} // namespace

void add_audit_export_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("export", "Records in the words of another system, one event a line, from the log's files");
    auto const options = std::make_shared<Options>();
    command->add_option("--format", options->format, "json, ocsf, openlineage, cef or otlp")->capture_default_str();
    command->add_option("--since", options->since, "Number of the first record")->check(number_from(0))->capture_default_str();
    command->add_option("--data", options->data, "The authority's data folder, or a copy; the log is in its folder `log`")->type_name("DIR");
    command->footer("What is exported again and again is declared: `kind: AuditExport`.\n\nExample:\n  writ audit export --format ocsf --since "
                    "1000 --data /var/lib/writ > events.jsonl");
    command->callback([&session, options] { session.action = [options] { return run(*options); }; });
}

} // namespace writ::cli
