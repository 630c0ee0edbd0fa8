// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include <memory>
#include <utility>

namespace writ::cli {

namespace {

struct Options {
    std::string id, run, workload, reason;
    bool all = false, wide = false;
};

// Why what is to end has not ended: since when it is tried, and what its system said last.
void print_late(JsonArray const& leases)
{
    bool is_any = false;
    for (auto const& item : leases) {
        auto const& lease = item.as_object();
        if (cell(lease, "state") != "revoking" || !lease.contains("last_error"))
            continue;
        if (!std::exchange(is_any, true))
            print_line("\nThese are still to end, which is tried until it has (or until `writ revoke --credential LEASE --abandon`):");
        print_line("  " + cell(lease, "id") + "  since " + short_time(cell(lease, "revoking_since")) + "  " + cell(lease, "last_error"));
    }
}

int list(Session const& session, Options const& options)
{
    net::Parameters query;
    if (!options.run.empty())
        query.add("run", options.run);
    if (!options.workload.empty())
        query.add("workload", options.workload);
    if (!options.all)
        query.add("state", "open");
    auto const answer = object_of(call_authority(session, get_request("/v1/leases", std::move(query))));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    Table table({ "LEASE", "STATE", { "CREDENTIAL", Fit::wide }, { "SCOPE", Fit::cut }, { "WORKLOAD", Fit::cut },
        { "RUN", Fit::filled }, "EXPIRES (UTC)" });
    auto const id_of = [&options](std::string const& id) { return options.wide ? id : short_id(id); };
    for (auto const& item : answer->at("leases").as_array()) {
        auto const& lease = item.as_object();
        table.add({ cell(lease, "id"), cell(lease, "state"), cell(lease, "credential"), cell(lease, "scope"),
            id_of(cell(lease, "workload")), cell(lease, "run"), short_time(cell(lease, "expires")) });
    }
    table.print(options.all ? "no leases" : "no open leases (--all shows those that have ended)", options.wide);
    if (answer->at("cut").as_bool())
        print_line("These are the newest; there are more. --run or --workload shows those of one.");
    print_late(answer->at("leases").as_array());
    auto const& sessions = answer->at("sessions").as_array();
    if (sessions.empty()) {
        print_unknown_before(*answer, "sessions_unknown_before");
        return 0;
    }
    print_line("");
    print_line("Nobody can take these back; they end by themselves:");
    Table live({ "KIND", "ID", { "SCOPE", Fit::cut }, { "WORKLOAD", Fit::cut }, { "RUN", Fit::wide }, "UNTIL (UTC)" });
    for (auto const& item : sessions) {
        auto const& one = item.as_object();
        live.add({ cell(one, "kind"), cell(one, "id"), cell(one, "scope"), id_of(cell(one, "workload")), cell(one, "run"), short_time(cell(one, "expires")) });
    }
    live.print("", options.wide);
    print_unknown_before(*answer, "sessions_unknown_before");
    return 0;
}

int revoke(Session const& session, Options const& options)
{
    JsonObject request;
    if (!options.id.empty())
        request.emplace("id", options.id);
    if (!options.run.empty())
        request.emplace("run", options.run);
    if (!options.reason.empty())
        request.emplace("reason", options.reason);
    auto const answer = object_of(call_authority(session, post_request("/v1/leases/revoke", std::move(request))));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    auto const& revoked = answer->at("revoked").as_array();
    for (auto const& lease : revoked)
        print_line("revoked " + cell(lease));
    if (revoked.empty())
        print_line("the run had no open leases");
    return 0;
}

} // namespace

void add_lease_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("lease", "Credentials that were given out, and taking them back");
    command->require_subcommand(1);
    auto const options = std::make_shared<Options>();
    auto* listing = command->add_subcommand("list", "Leases, newest first");
    listing->add_option("--run", options->run, "Of one run");
    listing->add_option("--workload", options->workload, "Of one workload (declared name or SPIFFE ID)");
    listing->add_flag("--all", options->all, "Those that have ended, too, for 30 days");
    listing->add_flag("--wide", options->wide, "All columns, and nothing cut");
    add_json_flag(*listing, session);
    listing->footer("Examples:\n  writ lease list\n  writ lease list --workload oncology-trainer --all\n  writ lease list --run run-qkmnh2b5zq4c2kx6wz3a --json");
    listing->callback([&session, options] { session.action = [&session, options] { return list(session, *options); }; });

    auto* revocation = command->add_subcommand("revoke", "End a lease now, with the sessions that were opened with it");
    auto* id = revocation->add_option("id", options->id, "The lease");
    revocation->add_option("--run", options->run, "All leases of a run, which ends")->excludes(id);
    revocation->add_option("--reason", options->reason, "For the audit log");
    add_json_flag(*revocation, session);
    revocation->footer("Examples:\n  writ lease revoke lease-xjzl6gldnxjnzrcdhkbq --reason 'laptop stolen'\n  writ lease revoke --run "
                       "run-qkmnh2b5zq4c2kx6wz3a");
    revocation->callback([&session, options] { session.action = [&session, options] { return revoke(session, *options); }; });
}

} // namespace writ::cli
