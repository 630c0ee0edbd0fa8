// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include "base/version.h"

namespace writ::cli {

namespace {

void print_row(std::string_view name, std::string const& value)
{
    print_line(paint(Colour::dim, name) + std::string(14 - name.size(), ' ') + value);
}

// One line each: an auditor's copy that lags is as much a fault as a service that does.
void print_exports(JsonObject const& status)
{
    auto const* exports = status.if_contains("exports");
    if (exports == nullptr || !exports->is_array())
        return;
    for (auto const& item : exports->as_array()) {
        auto const& exported = item.as_object();
        auto const error = cell(exported, "error");
        print_row("export", cell(exported, "name") + ", " + cell(exported, "lag") + " records behind"
                + (error.empty() ? "" : paint(Colour::red, ": " + shortened(error, 100))));
    }
}

void print_authority(JsonObject const& status)
{
    print_row("authority", cell(status, "issuer") + ", trust domain " + cell(status, "trust_domain"));
    print_row("policy",
        "version " + cell(status, "policy_version") + ", " + cell(status, "policies") + " policies, " + cell(status, "workloads")
            + " workloads");
    print_row("audit log",
        cell(status, "tree_size") + " records"
            + (cell(status, "witnesses") == "0" ? "" : ", " + cell(status, "final_size") + " of them in a checkpoint that the witnesses have cosigned"));
    print_row("leases", cell(status, "leases") + " open");
    print_exports(status);
}

void print_agent(JsonObject const& status)
{
    print_row("agent", cell(status, "agent") + ", joined to " + cell(status, "authority"));
    print_row("runs", cell(status, "runs") + " of yours");
}

int status(Session const& session)
{
    auto const authority = object_of(call_authority(session, get_request("/v1/status")));
    auto const agent = object_of(call_agent(session, get_request("/v1/status")));
    // Either may be somewhere else; a machine with neither has nothing to tell.
    if (authority.is_error() && agent.is_error())
        return fail(authority.error());
    if (session.json) {
        JsonObject both;
        if (authority.is_ok())
            both.emplace("authority", *authority);
        if (agent.is_ok())
            both.emplace("agent", *agent);
        print_json(both);
        return 0;
    }
    if (authority.is_ok())
        print_authority(*authority);
    else
        print_row("authority", "not for you, or not here: " + printable(authority.error().message));
    if (agent.is_ok())
        print_agent(*agent);
    else
        print_row("agent", "not here");
    return 0;
}

} // namespace

void add_status_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("status", "Whether authority and agent answer, and what they have");
    add_json_flag(*command, session);
    command->footer("Exit code 69 if neither answers.\n\nExamples:\n  writ status\n  writ status --json");
    command->callback([&session] { session.action = [&session] { return status(session); }; });
}

void add_version_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("version", "The program's version");
    add_json_flag(*command, session);
    command->footer("Examples:\n  writ version\n  writ version --json");
    command->callback([&session] {
        session.action = [&session] {
            if (session.json)
                print_json(JsonObject { { "version", version_text } });
            else
                print_line("writ " + std::string(version_text));
            return 0;
        };
    });
}

} // namespace writ::cli
