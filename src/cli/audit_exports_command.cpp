// SPDX-License-Identifier: Apache-2.0
//
// writ audit exports: how far each declared export has come.
#include "cli/commands.h"
#include "cli/output.h"

namespace writ::cli {

namespace {

constexpr std::size_t error_characters_max = 80;

int run(Session const& session)
{
    auto const answer = object_of(call_authority(session, get_request("/v1/audit/exports")));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    Table table({ "EXPORT", "FORMAT", "DESTINATION", "NEXT", "BEHIND", "SENT", "FAILURES", "ARRIVED (UTC)", "ERROR" });
    for (auto const& item : answer->at("exports").as_array()) {
        auto const& status = item.as_object();
        auto const arrived = cell(status, "arrived");
        table.add({ cell(status, "name"), cell(status, "format"), cell(status, "destination"), cell(status, "next"), cell(status, "lag"),
            cell(status, "sent"), cell(status, "failures"), arrived.empty() ? "" : short_time(arrived),
            shortened(cell(status, "error"), error_characters_max) });
    }
    table.print("nothing is exported; `kind: AuditExport` declares where records go");
    return 0;
}

} // namespace

void add_audit_exports_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("exports", "Declared exports: where each goes and how far it has come");
    add_json_flag(*command, session);
    command->footer("Example:\n  writ audit exports");
    command->callback([&session] { session.action = [&session] { return run(session); }; });
}

} // namespace writ::cli
