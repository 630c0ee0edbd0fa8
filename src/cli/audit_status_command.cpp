// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

namespace writ::cli {

namespace {

int status(Session const& session)
{
    auto const answer = object_of(call_authority(session, get_request("/v1/audit/status")));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    print_line(cell(*answer, "tree_size") + " records, " + cell(*answer, "published_size") + " in a checkpoint");
    auto const& spool = answer->at("spool").as_object();
    if (auto const waiting = cell(spool, "waiting"); waiting != "0")
        print_line(paint(Colour::red, "the log cannot be written") + ": " + waiting + " records wait in the spool");
    if (answer->at("witnesses").as_array().empty()) {
        print_line("no witnesses");
        return 0;
    }
    print_line(cell(*answer, "final_size") + " in a final checkpoint, which " + cell(*answer, "final_cosignatures")
        + " witnesses have cosigned and " + cell(*answer, "quorum") + " must");
    Table table({ "WITNESS", "COSIGNED", "LAG", "AT (UTC)", "FAILURES", "STATE" });
    for (auto const& item : answer->at("witnesses").as_array()) {
        auto const& witness = item.as_object();
        auto const error = cell(witness, "error");
        auto const state = witness.at("conflict").as_bool() ? "CONFLICT: " + error : error.empty() ? "well" : error;
        auto const time = cell(witness, "time");
        table.add({ cell(witness, "name"), cell(witness, "size"), cell(witness, "lag"), time.empty() ? "never" : short_time(time),
            cell(witness, "failures"), state });
    }
    table.print("no witnesses");
    return 0;
}

} // namespace

void add_audit_status_command(CLI::App& audit, Session& session)
{
    auto* command = audit.add_subcommand("status", "How far the log is published and cosigned, and how its witnesses are");
    add_json_flag(*command, session);
    command->footer("Example:\n  writ audit status");
    command->callback([&session] { session.action = [&session] { return status(session); }; });
}

} // namespace writ::cli
