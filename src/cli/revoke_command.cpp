// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/output.h"

#include <memory>

namespace writ::cli {

namespace {

struct Options {
    std::string run, workload, dataset, model, node, credential, reason;
    bool abandons = false;
};

void print_each(JsonObject const& answer, char const* name, std::string const& words)
{
    for (auto const& item : answer.at(name).as_array())
        print_line(words + cell(item));
}

int revoke(Session const& session, Options const& options)
{
    JsonObject request;
    for (auto const& [name, value] : { std::pair("run", &options.run), std::pair("workload", &options.workload), std::pair("dataset", &options.dataset),
             std::pair("model", &options.model), std::pair("node", &options.node), std::pair("credential", &options.credential), std::pair("reason", &options.reason) }) {
        if (!value->empty())
            request.emplace(name, *value);
    }
    if (options.abandons)
        request.emplace("abandon", true);
    auto const answer = object_of(call_authority(session, post_request("/v1/revocations", std::move(request))));
    if (answer.is_error())
        return fail(answer.error());
    if (session.json) {
        print_json(*answer);
        return 0;
    }
    if (options.abandons) {
        print_each(*answer, "abandoned", "given up, and its system may have the credential still: ");
        return 0;
    }
    if (answer->at("node_banned").as_bool())
        print_line("the node's agent is not listened to any more; `writ token create` lets it join anew");
    print_each(*answer, "runs", "ended now: ");
    print_each(*answer, "revoked", "revoked now: ");
    print_each(*answer, "late", "still to end, which is tried until it has: ");
    auto const& remaining = answer->at("remaining").as_array();
    if (!remaining.empty())
        print_line("Nobody can take these back; no new one is given where policy or the run's end forbids it:");
    Table table({ "KIND", "ID", "SCOPE", "WORKLOAD", "UNTIL (UTC)" });
    for (auto const& item : remaining) {
        auto const& one = item.as_object();
        table.add({ cell(one, "kind"), cell(one, "id"), cell(one, "scope"), cell(one, "workload"), short_time(cell(one, "expires")) });
    }
    table.print("nothing lives on");
    print_unknown_before(*answer, "remaining_unknown_before");
    return 0;
}

} // namespace

void add_revoke_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("revoke", "Take back at once what a run, workload, data set, model, node or credential opens");
    auto const options = std::make_shared<Options>();
    auto* target = command->add_option_group("target", "What to revoke; one of them");
    target->add_option("--run", options->run, "A run, which ends for Writ; its process is not killed");
    target->add_option("--workload", options->workload, "All runs of a workload (declared name, which means all its SPIFFE IDs, or one of these)");
    target->add_option("--dataset", options->dataset, "All leases on a data set; a policy keeps new ones away");
    target->add_option("--model", options->model, "All leases on a model and its versions");
    target->add_option("--node", options->node, "All runs of a node, and its agent, which has to join anew (name or SPIFFE ID)");
    auto* credential = target->add_option("--credential", options->credential, "A lease, role or access key");
    target->require_option(1);
    command->add_flag("--abandon", options->abandons, "Of a credential whose system is gone for good: try no more to take it back (`writ lease list` says what is tried)")
        ->needs(credential);
    command->add_option("--reason", options->reason, "For the audit log");
    add_json_flag(*command, session);
    command->footer("Leases end now, with the sessions that were opened with them. Sessions at clouds and SVIDs cannot be taken back: each is named with its "
                    "end. Both are on record.\n\nExamples:\n  writ revoke --run run-qkmnh2b5zq4c2kx6wz3a --reason 'laptop stolen'\n  writ revoke --dataset "
                    "oncology/biopsies --reason 'consent withdrawn'\n  writ revoke --credential lease-xjzl6gldnxjnzrcdhkbq --abandon --reason 'database was dismantled'");
    command->callback([&session, options] { session.action = [&session, options] { return revoke(session, *options); }; });
}

} // namespace writ::cli
