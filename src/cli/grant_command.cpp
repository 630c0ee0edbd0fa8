// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::string id, workload, reason;
};

int list(Session const& session, Options const& options)
{
    net::Parameters query;
    if (!options.workload.empty())
        query.add("workload", options.workload);
    auto const answer = object_of(call_authority(session, get_request("/v1/grants", std::move(query))));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    Table table({ "GRANT", "WORKLOAD", "PURPOSE", "RECORD", "UNTIL (UTC)" });
    for (auto const& item : answer->at("grants").as_array()) {
        auto const& grant = item.as_object();
        table.add({ cell(grant, "id"), cell(grant, "workload"), cell(grant, "purpose"), cell(grant, "record"), short_time(cell(grant, "expires")) });
    }
    table.print("no run waits for its start");
    if (answer->at("cut").as_bool())
        print_line("These are the newest; there are more. --workload shows those of one.");
    return 0;
}

int revoke(Session const& session, Options const& options)
{
    JsonObject request;
    for (auto const& [name, value] : { std::pair("id", &options.id), std::pair("workload", &options.workload), std::pair("reason", &options.reason) }) {
        if (!value->empty())
            request.emplace(name, *value);
    }
    auto const answer = object_of(call_authority(session, post_request("/v1/grants/revoke", std::move(request))));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    auto const& revoked = answer->at("revoked").as_array();
    for (auto const& grant : revoked)
        print_line("revoked " + cell(grant));
    if (revoked.empty())
        print_line("no run of the workload waits for its start");
    return 0;
}

} // namespace

void add_grant_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("grant", "Runs that were promised (`writ run --detach-token`) and have not started");
    command->require_subcommand(1);
    auto const options = std::make_shared<Options>();
    auto* listing = command->add_subcommand("list", "Promised runs, newest first");
    listing->add_option("--workload", options->workload, "Of one workload (declared name or SPIFFE ID)");
    add_json_flag(*listing, session);
    listing->footer("Examples:\n  writ grant list\n  writ grant list --workload oncology-trainer --json");
    listing->callback([&session, options] { session.action = [&session, options] { return list(session, *options); }; });

    auto* revocation = command->add_subcommand("revoke", "Let a promised run not start any more");
    auto* id = revocation->add_option("id", options->id, "The promised run");
    revocation->add_option("--workload", options->workload, "All of a workload (declared name or SPIFFE ID)")->excludes(id);
    revocation->add_option("--reason", options->reason, "For the audit log");
    add_json_flag(*revocation, session);
    revocation->footer("Examples:\n  writ grant revoke grant-xjzl6gldnxjnzrcdhkbq --reason 'job was cancelled'\n  writ grant revoke --workload oncology-trainer");
    revocation->callback([&session, options] { session.action = [&session, options] { return revoke(session, *options); }; });
}

} // namespace writ::cli
