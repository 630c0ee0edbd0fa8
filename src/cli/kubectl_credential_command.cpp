// SPDX-License-Identifier: Apache-2.0
#include "cli/commands.h"
#include "cli/kubectl_credential.h"
#include "cli/output.h"

#include <cstdlib>
#include <memory>

namespace writ::cli {

namespace {

Result<std::string> only_server(Session const& session)
{
    auto const clusters = places_for(TRY(list_places(session)), "kubernetes");
    if (clusters.size() != 1)
        return invalid_argument("the run has tokens for " + std::to_string(clusters.size()) + " clusters: name one with --server, or set `provideClusterInfo: true` in the kubeconfig");
    return clusters.front().url;
}

Result<SecretText> answer_kubectl(Session const& session, std::string const& named)
{
    auto const* const told = std::getenv("KUBERNETES_EXEC_INFO"); // NOLINT(concurrency-mt-unsafe): before there are threads
    auto const question = TRY(parse_kubectl_question(told == nullptr ? "" : told).in("KUBERNETES_EXEC_INFO"));
    auto const asked = named.empty() ? question.server : named;
    auto const server = asked.empty() ? TRY(only_server(session)) : asked;
    return kubectl_answer(question, TRY(ask_for_token(session, "kubernetes", server)));
}

} // namespace

void add_kubectl_credential_command(CLI::App& app, Session& session)
{
    auto* command = app.add_subcommand("kubectl-credential", "The run's token for a cluster, as an exec plug-in of kubectl and client-go prints it");
    auto const server = std::make_shared<std::string>();
    command->add_option("--server", *server, "The cluster's URL; otherwise what kubectl says, or the only one that the run has a token for")->type_name("URL");
    command->footer("It answers processes of a run only, for the clusters that declarations name (`kubernetes` of a CredentialProvider).\n\nExample, in a kubeconfig:\n  users:\n  "
                    "- name: writ\n    user:\n      exec: { apiVersion: client.authentication.k8s.io/v1, command: writ, args: [kubectl-credential], interactiveMode: Never, "
                    "provideClusterInfo: true }");
    add_run_dir_option(*command, session);
    command->callback([&session, server] {
        session.action = [&session, server] {
            auto const answer = answer_kubectl(session, *server);
            if (answer.is_error())
                return fail(answer.error());
            print_line(answer->reveal());
            return 0;
        };
    });
}

} // namespace writ::cli
